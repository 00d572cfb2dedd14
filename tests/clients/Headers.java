// A client in plain Java that frames messages as LSP4J does: two headers, the second of which
// names a type and a charset. Takes every step and prints a line for each.
//
// There is no JSON library in the JDK, so answers are told apart by the little that is asked of
// them; the requests are written out.

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

public final class Headers {
    private static final String TYPE = "Content-Type: application/vscode-jsonrpc; charset=utf-8\r\n";

    private final Process process;
    private final OutputStream out;
    private final InputStream in;
    private final List<String> notifications = new ArrayList<>();
    private int ids;

    private Headers(String binary) throws IOException {
        process = new ProcessBuilder(binary, "app-server")
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
        out = process.getOutputStream();
        in = new BufferedInputStream(process.getInputStream());
    }

    private void send(String message) throws IOException {
        byte[] body = message.getBytes(StandardCharsets.UTF_8);
        String head = "Content-Length: " + body.length + "\r\n" + TYPE + "\r\n";
        out.write(head.getBytes(StandardCharsets.US_ASCII));
        out.write(body);
        out.flush();
    }

    /** Sends a request and answers its id. */
    private int request(String method, String params) throws IOException {
        ids += 1;
        send("{\"jsonrpc\":\"2.0\",\"id\":\"" + ids + "\",\"method\":\"" + method
            + "\",\"params\":" + params + "}");
        return ids;
    }

    private void inform(String method, String params) throws IOException {
        send("{\"jsonrpc\":\"2.0\",\"method\":\"" + method + "\",\"params\":" + params + "}");
    }

    private String line() throws IOException {
        StringBuilder text = new StringBuilder();
        for (int one = in.read(); one != '\n'; one = in.read()) {
            if (one < 0) {
                throw new IOException("the daemon closed its stdout");
            }
            text.append((char) one);
        }
        if (text.length() == 0 || text.charAt(text.length() - 1) != '\r') {
            throw new IOException("a header line without CR: " + text);
        }
        return text.substring(0, text.length() - 1);
    }

    private String receive() throws IOException {
        int length = -1;
        for (String header = line(); !header.isEmpty(); header = line()) {
            String[] parts = header.split(": ", 2);
            if (parts[0].equalsIgnoreCase("Content-Length")) {
                length = Integer.parseInt(parts[1]);
            }
        }
        byte[] body = in.readNBytes(length);
        if (body.length != length) {
            throw new IOException("the daemon ended in the middle of a message");
        }
        return new String(body, StandardCharsets.UTF_8);
    }

    /** Reads up to the response to a request; what comes before it is kept. */
    private String response(int id) throws IOException {
        while (true) {
            String message = receive();
            if (message.contains("\"id\":\"" + id + "\"")) {
                return message;
            }
            notifications.add(message);
        }
    }

    private String responseUnchecked(int id) {
        try {
            return response(id);
        } catch (IOException broken) {
            return broken.toString();
        }
    }

    /** Whether anything is installed now. */
    private boolean installed() throws IOException {
        return call("plugin/list", "{}").contains("\"installed\":true");
    }

    private String call(String method, String params) throws IOException {
        return response(request(method, params));
    }

    private static void check(String step, boolean fine, Object why) {
        System.out.println("step " + step + (fine ? " ok" : " failed: " + why));
        if (!fine) {
            System.exit(1);
        }
    }

    private boolean told(String kind) {
        return notifications.stream()
            .anyMatch(one -> one.contains("\"$/progress\"") && one.contains("\"token\":\"größer\"")
                && one.contains("\"kind\":\"" + kind + "\""));
    }

    private void run() throws Exception {
        String hello = call("initialize", "{\"clientInfo\":{\"name\":\"lsp4j-headers\"}}");
        check("initialize", hello.contains("\"name\":\"plugd\""), hello);
        inform("initialized", "{}");
        String listing = call("plugin/list", "{}");
        Matcher path = Pattern.compile("\"path\":\"([^\"]*marketplace\\.json)\"").matcher(listing);
        check("list", path.find() && listing.contains("\"hello@demo\""), listing);
        String named = "\"marketplacePath\":\"" + path.group(1) + "\",\"pluginName\":\"hello\"";
        String reading = call("plugin/read", "{" + named + "}");
        check("read", reading.contains("\"description\":\"Says hello\""), reading);

        // Something holds the installation up, so only a cancelled one is answered soon.
        int given = request("plugin/install", "{" + named + "}");
        inform("$/cancelRequest", "{\"id\":\"" + given + "\"}");
        String answer = CompletableFuture.supplyAsync(() -> responseUnchecked(given))
            .completeOnTimeout("no answer in time", 3, TimeUnit.SECONDS)
            .get();
        check("cancel", answer.contains("\"code\":-32800") && !installed(), answer);

        // A token beyond ASCII: lengths count bytes, and not characters.
        String installed = call("plugin/install", "{" + named + ",\"workDoneToken\":\"größer\"}");
        check("progress", told("begin") && told("report") && told("end"), notifications);
        boolean there = installed.contains("\"installedVersion\":\"1.0.0\"") && installed();
        check("install", there, installed);
        String removed = call("plugin/uninstall", "{\"pluginId\":\"hello@demo\"}");
        check("uninstall", removed.contains("\"result\"") && !installed(), removed);

        out.close();
        check("close", in.read() < 0 && process.waitFor() == 0, "the end of the daemon");
    }

    public static void main(String[] arguments) throws Exception {
        new Headers(System.getenv("PLUGD_BINARY")).run();
    }
}
