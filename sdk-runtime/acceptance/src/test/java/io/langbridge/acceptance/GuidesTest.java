package io.langbridge.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import io.langbridge.EngineName;
import io.langbridge.Image;
import io.langbridge.VisionLanguageModel;
import io.langbridge.runtime.demo.DemoModel;
import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the README and the guides show is Java that compiles, and where a page says so with {@code <!-- run -->} in
 * front of it, Java that runs with the bundled model. Links lead somewhere.
 */
class GuidesTest {
    private static final Path ROOT = Path.of("../..").toAbsolutePath().normalize();
    private static final Pattern SNIPPET = Pattern.compile("(<!-- run -->\\n)?```java\\n(.*?)```", Pattern.DOTALL);
    /** Types that a snippet declares: those of a class may be more than those of a method. */
    private static final Pattern TYPE =
            Pattern.compile("(?ms)^(?:sealed )?(?:record|enum|interface) .*?\\} *(?://[^\\n]*)?$");

    private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");
    private static final Pattern DRAWING = Pattern.compile("\\]\\(([^)\\s]+\\.svg)\\)");
    private static final Pattern FIGURE = Pattern.compile("class=\"[^\"]*figure\"[^>]*>([^<]+)<");
    private static final Pattern HEADING = Pattern.compile("^#+ (.*)$", Pattern.MULTILINE);

    /** What pages take for granted around a snippet. */
    private static final String FRAME = """
            import com.fasterxml.jackson.annotation.JsonProperty;
            import dev.langchain4j.data.message.*;
            import dev.langchain4j.model.chat.*;
            import dev.langchain4j.model.chat.response.*;
            import dev.langchain4j.service.AiServices;
            import dev.langchain4j.service.Result;
            import dev.langchain4j.service.TokenStream;
            import dev.langchain4j.service.UserMessage;
            import io.langbridge.*;
            import io.langbridge.drawing.*;
            import io.langbridge.hub.*;
            import io.langbridge.records.*;
            import io.langbridge.runtime.demo.*;
            import io.langbridge.runtime.training.*;
            import io.langbridge.testing.*;
            import io.langbridge.tools.*;
            import java.io.*;
            import java.math.*;
            import java.nio.file.*;
            import java.time.*;
            import java.util.*;
            import java.util.concurrent.*;
            import javax.imageio.ImageIO;
            import %s.*;

            public class %s {
                Encoder encoder;
                Adapter adapter;
                Llm llm;
                EncodedImage seen;
                ExecutorService executor = ForkJoinPool.commonPool();
                public VisionLanguageModel model;
                public Image image;
                ImageContent picture = ImageContent.from(
                        Path.of("../../sdk-examples/quickstart/src/main/resources/picture.png").toUri());

                %s

                public void run() throws Exception {
                    %s
                }
            }
            """;

    @TempDir
    Path folder;

    private static List<Path> pages() throws IOException {
        List<Path> pages = new ArrayList<>(List.of(ROOT.resolve("README.md")));
        for (String guides : List.of("sdk-api/docs", ".github")) {
            try (Stream<Path> files = Files.list(ROOT.resolve(guides))) {
                files.filter(file -> file.toString().endsWith(".md")).sorted().forEach(pages::add);
            }
        }
        return pages;
    }

    private record Source(String name, String text, boolean runs) {
        JavaFileObject file() {
            return new SimpleJavaFileObject(URI.create("string:///" + name + ".java"), JavaFileObject.Kind.SOURCE) {
                @Override
                public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                    return text;
                }
            };
        }
    }

    private static List<Source> snippets() throws IOException {
        List<Source> sources = new ArrayList<>();
        for (Path page : pages()) {
            String text = Files.readString(page);
            Matcher snippet = SNIPPET.matcher(text);
            while (snippet.find()) {
                int line = (int) text.substring(0, snippet.start(2)).lines().count();
                String name = page.getFileName().toString().replaceAll("\\W", "_") + "_" + line;
                String types = TYPE.matcher(snippet.group(2))
                        .results()
                        .map(MatchResult::group)
                        .collect(Collectors.joining("\n"));
                String statements = TYPE.matcher(snippet.group(2)).replaceAll("");
                // Both have a LangBridgeChatModel, as is the custom there.
                String integration = page.endsWith("spring-ai.md")
                        ? "org.springframework.ai.chat.client.*; import org.springframework.core.io.*; import"
                                + " org.springframework.util.*; import io.langbridge.spring.ai"
                        : "io.langbridge.langchain4j";
                String source = FRAME.formatted(integration, name, types, statements);
                sources.add(new Source(name, source, snippet.group(1) != null));
            }
        }
        return sources;
    }

    @Test
    void whatIsShownCompilesAndRuns() throws Exception {
        List<Source> sources = snippets();
        assertThat(sources).hasSizeGreaterThan(10);
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter messages = new StringWriter();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, StandardCharsets.UTF_8)) {
            List<String> options =
                    List.of("-proc:none", "-d", folder.toString(), "-cp", System.getProperty("java.class.path"));
            boolean compiled = compiler.getTask(
                            messages,
                            files,
                            null,
                            options,
                            null,
                            sources.stream().map(Source::file).toList())
                    .call();
            assertThat(compiled).as(messages.toString()).isTrue();
        }
        List<Source> running = sources.stream().filter(Source::runs).toList();
        assertThat(running).isNotEmpty();
        try (URLClassLoader loader =
                        new URLClassLoader(new URL[] {folder.toUri().toURL()});
                DemoModel demo = DemoModel.open();
                VisionLanguageModel model = VisionLanguageModel.builder()
                        .encoder(demo.encoder())
                        .adapter(demo.adapter())
                        .llm(demo.llm())
                        .engine(EngineName.ONNX)
                        .build()) {
            Image image = Image.of(ROOT.resolve("sdk-examples/quickstart/src/main/resources/picture.png"));
            for (Source source : running) {
                Class<?> type = loader.loadClass(source.name());
                Object snippet = type.getConstructor().newInstance();
                type.getField("model").set(snippet, model);
                type.getField("image").set(snippet, image);
                type.getMethod("run").invoke(snippet);
            }
        }
    }

    @Test
    void linksLeadSomewhere() throws IOException {
        Map<String, String> broken = new LinkedHashMap<>();
        for (Path page : pages()) {
            Matcher link = LINK.matcher(Files.readString(page));
            while (link.find()) {
                String target = link.group(1);
                if (!target.contains("://") && !leads(page, target)) {
                    broken.put(ROOT.relativize(page) + " -> " + target, target);
                }
            }
        }
        assertThat(broken.keySet()).isEmpty();
    }

    /** Else a drawing would go on showing what is not so any more. */
    @Test
    void drawingsShowFiguresOfTheirPage() throws IOException {
        List<String> found = new ArrayList<>();
        for (Path page : pages()) {
            String text = Files.readString(page);
            Matcher drawing = DRAWING.matcher(text);
            while (drawing.find()) {
                Matcher figure = FIGURE.matcher(Files.readString(page.resolveSibling(drawing.group(1))));
                while (figure.find()) {
                    found.add(figure.group(1));
                    assertThat(text)
                            .as(drawing.group(1) + " shows " + figure.group(1))
                            .containsPattern("(?<![\\d.,])" + Pattern.quote(figure.group(1)) + "(?!\\d|[.,]\\d)");
                }
            }
        }
        assertThat(found).hasSizeGreaterThan(20);
    }

    private static boolean leads(Path page, String target) throws IOException {
        String[] parts = target.split("#", 2);
        Path file = parts[0].isEmpty() ? page : page.resolveSibling(parts[0]).normalize();
        if (!Files.exists(file) || parts.length == 1) {
            return Files.exists(file);
        }
        return HEADING.matcher(Files.readString(file))
                .results()
                .map(heading -> heading.group(1)
                        .toLowerCase(Locale.ROOT)
                        .replaceAll("[^\\w -]", "")
                        .replace(' ', '-'))
                .anyMatch(parts[1]::equals);
    }
}
