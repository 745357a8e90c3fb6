import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import javax.jms.Connection;
import javax.jms.DeliveryMode;
import javax.jms.MessageProducer;
import javax.jms.Session;
import org.apache.activemq.ActiveMQConnectionFactory;

/*
 * A bare JMS producer over OpenWire: so many threads, each with a connection, a session and a producer of its own, persistent messages,
 * each sent synchronously. As the reference stores messages, without the reference around it.
 *
 *   java -cp JARS JmsProducer.java URL QUEUE BYTES        then on standard input, a line for each round: THREADS MS
 *
 * Answers each line with one of JSON, after a first one that says that it is ready.
 */
public class JmsProducer {
  private static final class Lane {
    final Session session;
    final MessageProducer producer;

    Lane(Connection connection, String queue) throws Exception {
      session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
      producer = session.createProducer(session.createQueue(queue));
      producer.setDeliveryMode(DeliveryMode.PERSISTENT);
    }
  }

  public static void main(String[] args) throws Exception {
    ActiveMQConnectionFactory factory = new ActiveMQConnectionFactory(args[0]);
    factory.setAlwaysSyncSend(true);
    String text = "x".repeat(Integer.parseInt(args[2]));
    List<Lane> lanes = new ArrayList<>();
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    System.out.println("{\"ready\":true,\"pid\":" + ProcessHandle.current().pid() + "}");
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] words = line.split(" ");
      int threads = Integer.parseInt(words[0]);
      while (lanes.size() < threads) {
        Connection connection = factory.createConnection();
        connection.start();
        lanes.add(new Lane(connection, args[1]));
      }
      System.out.println(round(lanes.subList(0, threads), text, Long.parseLong(words[1])));
    }
    System.exit(0);
  }

  private static String round(List<Lane> lanes, String text, long ms) throws Exception {
    long begun = System.nanoTime();
    long until = begun + ms * 1_000_000;
    List<List<Long>> times = new ArrayList<>();
    CountDownLatch running = new CountDownLatch(lanes.size());
    for (Lane lane : lanes) {
      List<Long> own = new ArrayList<>();
      times.add(own);
      new Thread(() -> {
        try {
          send(lane, text, until, own);
        } catch (Exception error) {
          error.printStackTrace();
          System.exit(1);
        }
        running.countDown();
      }).start();
    }
    running.await();
    double seconds = (System.nanoTime() - begun) / 1e9;
    long[] sorted = times.stream().flatMap(List::stream).mapToLong(Long::longValue).sorted().toArray();
    return String.format(
        java.util.Locale.ROOT,
        "{\"messages\":%d,\"failed\":0,\"seconds\":%.3f,\"p50Ms\":%.3f,\"p99Ms\":%.3f}",
        sorted.length, seconds, at(sorted, 0.5), at(sorted, 0.99));
  }

  private static void send(Lane lane, String text, long until, List<Long> times) throws Exception {
    for (long now = System.nanoTime(); now < until; ) {
      lane.producer.send(lane.session.createTextMessage(text));
      long ended = System.nanoTime();
      times.add(ended - now);
      now = ended;
    }
  }

  private static double at(long[] sorted, double part) {
    if (sorted.length == 0) return 0;
    return sorted[Math.min(sorted.length - 1, (int) (part * sorted.length))] / 1e6;
  }
}
