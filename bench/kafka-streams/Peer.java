import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.WindowedSerdes;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.WindowStore;

/**
 * The bench's scenarios in Kafka Streams, as its users write them: the DSL, Jackson data binding, RocksDB stores, record
 * caches. Runs the records once for each output in one JVM and prints a line of JSON for each run.
 */
public final class Peer {
  public static final class Order {
    public long ordertime;
    public long orderid;
    public String itemid;
    public double orderunits;
  }

  public static final class Projected {
    public long ORDERID;
    public String ITEMID;
    public double ORDERUNITS;
    public long ORDERTIME;
  }

  public static final class Item {
    public String name;
    public double price;
  }

  public static final class Joint {
    public long ORDERID;
    public double ORDERUNITS;
    public String NAME;
    public double PRICE;
  }

  public static final class Count {
    public long N;
  }

  private static final ObjectMapper MAPPER =
      new ObjectMapper().configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false);

  private static <T> Serde<T> json(Class<T> type) {
    ObjectReader reader = MAPPER.readerFor(type);
    ObjectWriter writer = MAPPER.writerFor(type);
    Serializer<T> serializer = (topic, value) -> {
      try {
        return value == null ? null : writer.writeValueAsBytes(value);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    };
    Deserializer<T> deserializer = (topic, bytes) -> {
      try {
        return bytes == null ? null : reader.readValue(bytes);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    };
    return Serdes.serdeFrom(serializer, deserializer);
  }

  public static void main(String[] args) throws Exception {
    Map<String, String> settings = new HashMap<>();
    for (String arg : args) {
      int at = arg.indexOf('=');
      settings.put(arg.substring(0, at), arg.substring(at + 1));
    }
    String[] outputs = settings.get("outputs").split(",");
    for (int pass = 0; pass < outputs.length; pass++) run(settings, outputs[pass], pass);
    System.exit(0);
  }

  private static void run(Map<String, String> settings, String output, int pass) throws Exception {
    long records = Long.parseLong(settings.get("records"));
    AtomicLong seen = new AtomicLong();
    CountDownLatch done = new CountDownLatch(1);
    StreamsBuilder builder = new StreamsBuilder();
    KStream<String, Order> orders =
        builder
            .stream(settings.get("input"), Consumed.with(Serdes.String(), json(Order.class)))
            .peek((key, order) -> {
              // One thread counts, so that the count costs next to nothing.
              long count = seen.getPlain() + 1;
              seen.setPlain(count);
              if (count == records) done.countDown();
            });
    topology(settings, builder, orders, output);

    Properties config = new Properties();
    config.put(StreamsConfig.APPLICATION_ID_CONFIG, settings.get("application") + "-ks" + pass);
    config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, settings.get("bootstrap"));
    config.put(StreamsConfig.STATE_DIR_CONFIG, settings.get("directory") + "/ks" + pass);
    config.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, settings.get("commitMs"));
    config.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, settings.get("cacheBytes"));
    config.put(StreamsConfig.TOPOLOGY_OPTIMIZATION_CONFIG, StreamsConfig.OPTIMIZE);
    config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, settings.get("guarantee"));
    config.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
    config.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");

    var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    long cpu = system.getProcessCpuTime();
    long begin = System.nanoTime();
    KafkaStreams streams = new KafkaStreams(builder.build(config), config);
    streams.setUncaughtExceptionHandler(error -> {
      error.printStackTrace();
      Runtime.getRuntime().halt(1);
      return null;
    });
    streams.start();
    if (records > 0) done.await();
    else while (System.in.read() >= 0);
    // Commits, and writes what is in memory to disk.
    streams.close(Duration.ofSeconds(60));
    double wallSeconds = (System.nanoTime() - begin) / 1e9;
    double cpuSeconds = (system.getProcessCpuTime() - cpu) / 1e9;
    long total = records + Long.parseLong(settings.get("itemRecords"));
    System.out.printf(
        java.util.Locale.ROOT,
        "{\"records\":%d,\"cpuSeconds\":%.6f,\"wallSeconds\":%.6f}%n",
        total, cpuSeconds, wallSeconds);
    System.out.flush();
  }

  private static void topology(
      Map<String, String> settings, StreamsBuilder builder, KStream<String, Order> orders, String output) {
    switch (settings.get("scenario")) {
      case "filter-project" -> {
        double unitsOver = Double.parseDouble(settings.get("unitsOver"));
        orders
            .filter((key, order) -> order.orderunits > unitsOver)
            .mapValues(order -> {
              Projected row = new Projected();
              row.ORDERID = order.orderid;
              row.ITEMID = order.itemid;
              row.ORDERUNITS = order.orderunits;
              row.ORDERTIME = order.ordertime;
              return row;
            })
            .to(output, Produced.with(Serdes.String(), json(Projected.class)));
      }
      case "windowed-count" -> {
        long windowMs = Long.parseLong(settings.get("windowMs"));
        TimeWindows windows =
            TimeWindows.ofSizeAndGrace(
                Duration.ofMillis(windowMs), Duration.ofMillis(Long.parseLong(settings.get("graceMs"))));
        orders
            .groupByKey(Grouped.with(Serdes.String(), json(Order.class)))
            .windowedBy(windows)
            .count(
                Materialized.<String, Long, WindowStore<Bytes, byte[]>>as("counts")
                    .withKeySerde(Serdes.String())
                    .withValueSerde(Serdes.Long())
                    .withRetention(Duration.ofMillis(Long.parseLong(settings.get("retentionMs")))))
            .toStream()
            .mapValues(n -> {
              Count count = new Count();
              count.N = n;
              return count;
            })
            .to(
                output,
                Produced.with(WindowedSerdes.timeWindowedSerdeFrom(String.class, windowMs), json(Count.class)));
      }
      case "stream-table-join" -> {
        KTable<String, Item> table =
            builder.table(
                settings.get("items"),
                Consumed.with(Serdes.String(), json(Item.class)),
                Materialized.<String, Item, KeyValueStore<Bytes, byte[]>>as("items")
                    .withKeySerde(Serdes.String())
                    .withValueSerde(json(Item.class)));
        orders
            .join(
                table,
                (order, item) -> {
                  Joint row = new Joint();
                  row.ORDERID = order.orderid;
                  row.ORDERUNITS = order.orderunits;
                  row.NAME = item.name;
                  row.PRICE = item.price;
                  return row;
                },
                Joined.with(Serdes.String(), json(Order.class), json(Item.class)))
            .to(output, Produced.with(Serdes.String(), json(Joint.class)));
      }
      default -> throw new IllegalArgumentException(settings.get("scenario"));
    }
  }
}
