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
 * Prints what a consumer of Kafka's own sees of topics with read_committed, from their beginnings on and as it comes: a
 * line a record (topic, partition, offset, timestamp, key in hex, value as text, by tabs). When standard input ends it reads
 * to the ends of that time, prints a line for each partition (`end`, topic, partition, last stable offset, high watermark) and ends.
 */
public class TailCommitted {
  private static KafkaConsumer<byte[], byte[]> consumer(String address, String isolation) {
    return new KafkaConsumer<>(
        Map.of("bootstrap.servers", address, "isolation.level", isolation, "enable.auto.commit", "false"),
        new ByteArrayDeserializer(),
        new ByteArrayDeserializer());
  }

  private static volatile boolean ending = false;

  public static void main(String[] args) throws Exception {
    PrintStream out = new PrintStream(new BufferedOutputStream(System.out, 1 << 16), false, StandardCharsets.UTF_8);
    Thread input = new Thread(() -> {
      try {
        while (System.in.read() >= 0);
      } catch (java.io.IOException gone) {
        // The other end is gone, which ends it too.
      }
      ending = true;
    });
    input.setDaemon(true);
    input.start();
    try (var committed = consumer(args[0], "read_committed"); var all = consumer(args[0], "read_uncommitted")) {
      List<TopicPartition> partitions = new ArrayList<>();
      for (int i = 1; i < args.length; i++)
        for (var info : committed.partitionsFor(args[i]))
          partitions.add(new TopicPartition(info.topic(), info.partition()));
      committed.assign(partitions);
      committed.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = null;
      while (true) {
        if (ending && ends == null) ends = committed.endOffsets(partitions);
        for (ConsumerRecord<byte[], byte[]> each : committed.poll(Duration.ofMillis(500))) {
          out.print(each.topic());
          out.print('\t');
          out.print(each.partition());
          out.print('\t');
          out.print(each.offset());
          out.print('\t');
          out.print(each.timestamp());
          out.print('\t');
          out.print(each.key() == null ? "-" : HexFormat.of().formatHex(each.key()));
          out.print('\t');
          out.print(each.value() == null ? "-" : new String(each.value(), StandardCharsets.UTF_8));
          out.print('\n');
        }
        out.flush();
        final Map<TopicPartition, Long> last = ends;
        if (last != null && partitions.stream().allMatch(each -> committed.position(each) >= last.get(each))) break;
      }
      Map<TopicPartition, Long> marks = all.endOffsets(partitions);
      for (var each : partitions)
        out.printf("end\t%s\t%d\t%d\t%d%n", each.topic(), each.partition(), ends.get(each), marks.get(each));
    }
    out.flush();
  }
}
