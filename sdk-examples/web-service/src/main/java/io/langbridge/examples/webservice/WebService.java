package io.langbridge.examples.webservice;

import io.langbridge.LangBridgeException;
import io.langbridge.Precision;
import io.langbridge.VisionLanguageModel;
import io.langbridge.hub.Hub;
import io.langbridge.runtime.demo.DemoModel;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Serves a model to OpenAI's clients, and a page for people. */
@Command(
        name = "web-service",
        mixinStandardHelpOptions = true,
        description = "Answers questions about pictures at /v1/chat/completions as OpenAI does, and on a page at /. The"
                + " first line printed is its address. Only this machine reaches it unless --bind says otherwise.")
public final class WebService implements Callable<Integer> {
    @Option(
            names = "--model",
            paramLabel = "FOLDER|ORG/NAME",
            description =
                    "a folder, or what Hugging Face calls a model; default: the bundled one, which knows drawings")
    private String model;

    @Option(names = "--precision", paramLabel = "NAME", description = "${COMPLETION-CANDIDATES}; default: FULL")
    private Precision precision;

    @Option(names = "--port", paramLabel = "N", description = "0 takes a free one; default: ${DEFAULT-VALUE}")
    private int port = 8080;

    @Option(names = "--bind", paramLabel = "ADDRESS", description = "whose requests are heard; default: this machine's")
    private InetAddress bind = InetAddress.getLoopbackAddress();

    @Option(
            names = "--host",
            paramLabel = "NAME",
            description = "a name that the service is called by, beside localhost; may be given several times")
    private List<String> hosts = new ArrayList<>();

    @Option(
            names = "--picture-host",
            paramLabel = "NAME",
            description = "a host that pictures may be fetched from; may be given several times; default: none")
    private List<String> pictureHosts = new ArrayList<>();

    @Option(names = "--concurrent", paramLabel = "N", description = "answered at a time; default: ${DEFAULT-VALUE}")
    private int concurrent = 2;

    @Option(names = "--queue", paramLabel = "N", description = "waiting, more get 429; default: ${DEFAULT-VALUE}")
    private int queue = 16;

    @Option(names = "--time-limit", paramLabel = "SECONDS", description = "of an answer; default: ${DEFAULT-VALUE}")
    private int timeLimit = 120;

    @Option(names = "--max-body", paramLabel = "MB", description = "of a request; default: ${DEFAULT-VALUE}")
    private int maxBody = 32;

    /**
     * Runs until it is killed.
     *
     * @param args see {@code --help}
     */
    public static void main(String[] args) {
        CommandLine command = new CommandLine(new WebService());
        command.setExecutionExceptionHandler((e, line, parsed) -> {
            if (e instanceof LangBridgeException || e instanceof IOException || e instanceof IllegalArgumentException) {
                line.getErr().println("web-service: " + e.getMessage());
                return CommandLine.ExitCode.SOFTWARE;
            }
            throw e;
        });
        int code = command.execute(args);
        if (code != 0) {
            System.exit(code);
        }
    }

    @Override
    public Integer call() throws IOException {
        Metrics metrics = new Metrics();
        VisionLanguageModel.Builder builder = VisionLanguageModel.builder()
                .listener(metrics)
                .maxConcurrentRequests(concurrent)
                .maxQueuedRequests(queue);
        if (precision != null) {
            builder.precision(precision);
        }
        DemoModel demo = model == null ? DemoModel.open() : null; // its files stay for as long as the model
        VisionLanguageModel opened = open(builder, demo);
        Server server = new Server(opened, settings(), metrics);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            server.close();
            opened.close();
            if (demo != null) {
                demo.close();
            }
        }));
        System.out.println(server.start(bind, port)); // whoever starts this reads it, and then asks
        return 0;
    }

    private Server.Settings settings() {
        String key = System.getenv("LANGBRIDGE_API_KEY"); // a command line can be read by others
        String name = model == null ? "demo" : Path.of(model).getFileName().toString();
        return new Server.Settings(name, key, hosts, pictureHosts, timeLimit, maxBody << 20, concurrent + queue);
    }

    private VisionLanguageModel open(VisionLanguageModel.Builder builder, DemoModel demo) {
        if (demo != null) {
            return builder.encoder(demo.encoder())
                    .adapter(demo.adapter())
                    .llm(demo.llm())
                    .withoutCache()
                    .build();
        }
        Path folder = Path.of(model);
        return builder.folder(Files.isDirectory(folder) ? folder : Hub.get(model))
                .build();
    }
}
