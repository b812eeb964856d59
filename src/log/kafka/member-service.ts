import type { MessagePort } from 'node:worker_threads';
import { systemClock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import type { MembershipView, ProcessInfo } from '../membership.ts';
import { CoordinatorConnection } from './coordinator-connection.ts';
import { GroupMember, type GroupMemberOptions } from './group-member.ts';
import { KafkaCluster } from './kafka-cluster.ts';
import { type ConnectionOptionsOfLog, openConnections } from './kafkajs-connections.ts';

/** What the thread of members is asked; `member` is a number that the asker has chosen. */
export type MemberRequest =
  | { readonly kind: 'join'; readonly member: number; readonly options: GroupMemberOptions }
  | { readonly kind: 'describe'; readonly member: number; readonly process: ProcessInfo }
  | { readonly kind: 'confirm'; readonly member: number; readonly id: number }
  | { readonly kind: 'leave'; readonly member: number };

export type MemberEvent =
  | { readonly kind: 'changed'; readonly member: number; readonly view: MembershipView }
  | { readonly kind: 'confirmed'; readonly member: number; readonly id: number }
  | { readonly kind: 'left'; readonly member: number }
  | {
      readonly kind: 'logged';
      readonly level: keyof Logger;
      readonly fields: object;
      readonly message: string;
    };

/** What the thread is started with. */
export interface MemberThreadData {
  readonly port: MessagePort;
  readonly connection: ConnectionOptionsOfLog;
}

/** Keeps members in their groups, as requests on `port` say. */
export async function serveMembers(port: MessagePort, connection: ConnectionOptionsOfLog): Promise<void> {
  const tell = (event: MemberEvent): void => port.postMessage(event);
  const logger = loggerTo(tell);
  const early: MemberRequest[] = [];
  let serve = (request: MemberRequest): void => void early.push(request);
  port.on('message', (request: MemberRequest) => serve(request));
  const openBroker = await openConnections(connection, logger);
  const newCluster = (): KafkaCluster =>
    new KafkaCluster(openBroker, connection.brokers.length, systemClock, logger);
  const coordinators = new CoordinatorConnection(newCluster, systemClock, logger);
  const members = new Map<number, GroupMember>();
  serve = (request) => {
    const { member } = request;
    switch (request.kind) {
      case 'join':
        members.set(
          member,
          new GroupMember(request.options, newCluster, coordinators, {
            changed: (view) => tell({ kind: 'changed', member, view }),
            confirmed: (id) => tell({ kind: 'confirmed', member, id }),
          }),
        );
        break;
      case 'describe':
        members.get(member)?.describe(request.process);
        break;
      case 'confirm':
        members.get(member)?.confirm(request.id);
        break;
      case 'leave': {
        const left = members.get(member)?.leave() ?? Promise.resolve();
        members.delete(member);
        void left.then(() => {
          if (members.size === 0) coordinators.rest();
          tell({ kind: 'left', member });
        });
        break;
      }
    }
  };
  for (const request of early) serve(request);
}

/** Fields that cannot be sent are left out: what logs here hands over texts and numbers. */
function loggerTo(tell: (event: MemberEvent) => void): Logger {
  const at =
    (level: keyof Logger) =>
    (fields: object, message: string): void =>
      tell({ kind: 'logged', level, fields: JSON.parse(JSON.stringify(fields)) as object, message });
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: () => undefined };
}
