import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.FileRecords;
import org.apache.kafka.common.record.internal.RecordBatch;

/**
 * How each transaction ended in each partition, as the segments of one broker have it, read by Kafka's own classes.
 * Arguments: the address, and the broker's directory. With `transaction.version` 2 each transaction of a producer has an epoch of
 * its own, so what has the same producer id and epoch is one transaction, in whatever topics, committed offsets among them.
 * Prints a line for each fault: `torn` (committed in some partitions and undone in others), `mixed` (records of two
 * transactions before one marker), `open` (no marker, or the coordinator has it open). Last `outcomes`, transactions committed, undone.
 */
public class TransactionOutcomes {
  private record Transaction(long producerId, short epoch) {}

  private static final Map<Transaction, TreeMap<String, TreeSet<String>>> outcomes = new HashMap<>();

  private static void ended(Transaction transaction, String how, String partition) {
    outcomes
        .computeIfAbsent(transaction, each -> new TreeMap<>())
        .computeIfAbsent(how, each -> new TreeSet<>())
        .add(partition);
  }

  private static void read(Path directory) throws Exception {
    String partition = directory.getFileName().toString();
    Map<Long, Transaction> open = new HashMap<>();
    List<File> segments = new ArrayList<>();
    try (var files = Files.list(directory)) {
      files.filter(each -> each.toString().endsWith(".log")).map(Path::toFile).forEach(segments::add);
    }
    segments.sort(Comparator.comparing(File::getName));
    for (File segment : segments)
      try (FileRecords records = FileRecords.open(segment, false)) {
        for (RecordBatch batch : records.batches()) {
          if (!batch.isTransactional()) continue;
          if (!batch.isControlBatch()) {
            Transaction now = new Transaction(batch.producerId(), batch.producerEpoch());
            Transaction before = open.put(batch.producerId(), now);
            if (before != null && !before.equals(now))
              System.out.println("mixed\t" + partition + "\t" + batch.baseOffset() + "\t" + before + "\t" + now);
            continue;
          }
          Transaction transaction = open.remove(batch.producerId());
          // A marker without records: the transaction was undone before its first one was written here.
          if (transaction == null) continue;
          ControlRecordType type = ControlRecordType.parse(batch.iterator().next().key());
          ended(transaction, type.toString(), partition);
        }
      }
    for (Transaction each : open.values()) System.out.println("open\t" + partition + "\t" + each);
  }

  public static void main(String[] args) throws Exception {
    try (var admin = Admin.create(Map.of("bootstrap.servers", args[0]))) {
      for (var each : admin.listTransactions().all().get(30, TimeUnit.SECONDS))
        if (!Set.of(TransactionState.COMPLETE_ABORT, TransactionState.COMPLETE_COMMIT, TransactionState.EMPTY)
            .contains(each.state()))
          System.out.println("open\t" + each.transactionalId() + "\t" + each.state());
    }
    try (var directories = Files.list(Path.of(args[1]))) {
      for (Path each : directories.filter(Files::isDirectory).toList())
        if (!each.getFileName().toString().startsWith("__cluster_metadata")) read(each);
    }
    long committed = 0;
    long undone = 0;
    for (var each : outcomes.entrySet()) {
      if (each.getValue().size() > 1) System.out.println("torn\t" + each.getKey() + "\t" + each.getValue());
      if (each.getValue().containsKey("COMMIT")) committed++;
      else undone++;
    }
    System.out.println("outcomes\t" + committed + "\t" + undone);
  }
}
