import { workerData } from 'node:worker_threads';
import { type MemberThreadData, serveMembers } from './member-service.ts';

/** The program of a thread that keeps members in their groups and does nothing else: what blocks the main thread does not stop it. */
const { port, connection } = workerData as MemberThreadData;
void serveMembers(port, connection);
