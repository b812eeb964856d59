import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { Coordinator } from '../../src/log/kafka/coordinator.ts';
import { leaveGroupRequest } from '../../src/log/kafka/group-requests.ts';
import { KafkaCluster } from '../../src/log/kafka/kafka-cluster.ts';
import { openConnections } from '../../src/log/kafka/kafkajs-connections.ts';

/** Takes a member out of its group, as the broker does with one whose session has run out. */
export async function removeMember(address: string, group: string, memberId: string): Promise<void> {
  const openBroker = await openConnections({ brokers: [address], clientId: 'remover' }, silentLogger);
  const cluster = new KafkaCluster(openBroker, 1, systemClock, silentLogger);
  const coordinator = new Coordinator(cluster, 'group', group);
  const code = await coordinator.send(leaveGroupRequest(group, [memberId]), () => undefined);
  await cluster.close();
  if (code !== 0) throw new Error(`the member could not be removed: ${code}`);
}
