import java.io.BufferedOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Prints all that a consumer of Kafka's own sees of topics with read_committed, from their beginnings to the ends that
 * they had when it began: a line a record (topic, partition, offset, timestamp, key, value, by tabs; key and value
 * in hex, `-` for null), and before them a line for each partition: `end`, topic, partition, last stable offset, high watermark.
 */
public class ReadCommitted {
  private static KafkaConsumer<byte[], byte[]> consumer(String address, String isolation) {
    return new KafkaConsumer<>(
        Map.of("bootstrap.servers", address, "isolation.level", isolation, "enable.auto.commit", "false"),
        new ByteArrayDeserializer(),
        new ByteArrayDeserializer());
  }

  private static String hex(byte[] bytes) {
    return bytes == null ? "-" : HexFormat.of().formatHex(bytes);
  }

  public static void main(String[] args) {
    PrintStream out = new PrintStream(new BufferedOutputStream(System.out, 1 << 16), false, StandardCharsets.UTF_8);
    try (var committed = consumer(args[0], "read_committed"); var all = consumer(args[0], "read_uncommitted")) {
      List<TopicPartition> partitions = new ArrayList<>();
      for (int i = 1; i < args.length; i++)
        for (var info : committed.partitionsFor(args[i]))
          partitions.add(new TopicPartition(info.topic(), info.partition()));
      Map<TopicPartition, Long> ends = committed.endOffsets(partitions);
      Map<TopicPartition, Long> marks = all.endOffsets(partitions);
      for (var partition : partitions)
        out.printf("end\t%s\t%d\t%d\t%d%n", partition.topic(), partition.partition(), ends.get(partition), marks.get(partition));
      committed.assign(partitions);
      committed.seekToBeginning(partitions);
      while (partitions.stream().anyMatch(each -> committed.position(each) < ends.get(each))) {
        for (ConsumerRecord<byte[], byte[]> each : committed.poll(Duration.ofMillis(500))) {
          if (each.offset() >= ends.get(new TopicPartition(each.topic(), each.partition()))) continue;
          out.println(
              each.topic() + "\t" + each.partition() + "\t" + each.offset() + "\t" + each.timestamp()
                  + "\t" + hex(each.key()) + "\t" + hex(each.value()));
        }
      }
    }
    out.flush();
  }
}
