import java.io.InputStream;
import java.net.URL;
import java.net.URLConnection;
import java.nio.charset.StandardCharsets;

/** Reads URLs as Java programs do by default, and prints the type and the size of each response. */
public class Fetch {
    public static void main(String[] urls) throws Exception {
        for (String url : urls) {
            byte[] body;
            try (InputStream stream = new URL(url).openStream()) {
                body = stream.readAllBytes();
            }
            URLConnection connection = new URL(url).openConnection();
            String type = connection.getContentType();
            String start = new String(body, 0, Math.min(body.length, 200), StandardCharsets.UTF_8);
            boolean page = start.toLowerCase().contains("<!doctype html") || type.startsWith("text/html");
            System.out.println(url + " " + type + " " + body.length);
            if (page || body.length == 0) {
                System.err.println(url + ": a page instead of the feed: " + start);
                System.exit(1);
            }
        }
    }
}
