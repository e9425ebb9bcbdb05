package io.langbridge.examples.webservice;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonElement;
import io.langbridge.Explanation;
import io.langbridge.testing.FakeAnswer;
import io.langbridge.testing.FakeModel;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/** The page as people meet it. */
class PageTest {
    private static Browser browser;

    @TempDir(cleanup = CleanupMode.NEVER) // the browser's helpers write into it for a moment after its end
    static Path profile;

    @TempDir
    static Path scratch;

    private static Path picture;

    private final List<AutoCloseable> opened = new ArrayList<>();
    private FakeModel model;

    @BeforeAll
    static void start() throws Exception {
        Optional<Path> program = Browser.program();
        assumeTrue(program.isPresent(), "There is no Chromium on this machine (Debian: apt-get install chromium)");
        browser = new Browser(program.get(), profile);
        picture = scratch.resolve("picture.png");
        ImageIO.write(new BufferedImage(160, 80, BufferedImage.TYPE_INT_RGB), "png", picture.toFile());
    }

    @AfterAll
    static void end() throws Exception {
        if (browser != null) {
            browser.close();
        }
    }

    private void open(FakeModel.Builder fake, String key) throws IOException {
        Metrics metrics = new Metrics();
        model = fake.listener(metrics).build();
        Server server =
                new Server(model, new Server.Settings("fake", key, List.of(), List.of(), 60, 1 << 20, 4), metrics);
        opened.add(server);
        opened.add(model);
        browser.open(server.start(InetAddress.getLoopbackAddress(), 0) + "/");
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : opened) {
            each.close();
        }
    }

    private static boolean enabled(String id) {
        return !browser.see("document.getElementById('" + id + "').disabled").getAsBoolean();
    }

    @Test
    void aDroppedPictureIsAskedAboutAndTheAnswerComesPieceByPiece() throws IOException {
        open(
                FakeModel.builder()
                        .when(
                                "What is it?",
                                FakeAnswer.ofPieces("A", " red", " heart", ".").stallingAfter(2)),
                null);
        assertThat(enabled("ask")).as("before there is a picture").isFalse();

        browser.drop("drop", picture);
        browser.await("document.getElementById('picture').naturalWidth === 160");
        assertThat(browser.see("document.getElementById('hint').hidden").getAsBoolean())
                .isTrue();
        browser.see("document.getElementById('question').value = 'What is it?';"
                + "document.getElementById('ask').click()");

        browser.await("document.getElementById('answer').textContent === 'A red'");
        assertThat(enabled("ask")).isFalse();
        assertThat(model.openStreams()).isEqualTo(1);
        browser.see("document.getElementById('stop').click()");
        browser.await("!document.getElementById('ask').disabled");
        assertThat(browser.text("answer")).isEqualTo("A red");
        assertThat(browser.text("error")).isEmpty();
        assertThat(model.requests().get(0).messages().get(0).parts()).hasSize(2);
    }

    @Test
    void itCanBeUsedWithoutAMouse() throws IOException {
        open(FakeModel.builder().when("What else?", "A blue star."), null);
        List<String> reached = tab(4);
        assertThat(reached).as("without a picture").startsWith("file", "question");
        browser.choose("file", picture);
        browser.await("!document.getElementById('ask').disabled");

        browser.see("document.activeElement.blur(); getSelection().removeAllRanges()");
        browser.see("document.getElementById('file').focus()");
        assertThat(tab(3)).containsExactly("words", "question", "ask");
        assertThat(browser.see("getComputedStyle(document.getElementById('ask')).outlineStyle")
                        .getAsString())
                .as("where the focus is can be seen")
                .isEqualTo("solid");
        browser.see("document.getElementById('question').select(); document.getElementById('question').focus()");
        browser.type("What else?");
        browser.press("Enter");

        browser.await("document.getElementById('answer').textContent === 'A blue star.'");
        assertThat(browser.spoken())
                .contains(
                        "textbox Question",
                        "button Ask",
                        "button Stop",
                        "button Words on its patches",
                        "image The picture that is asked about",
                        "status Answer",
                        "heading Ask a picture")
                .anyMatch(each -> each.startsWith("button Picture"));
    }

    private static List<String> tab(int times) {
        List<String> reached = new ArrayList<>();
        for (int i = 0; i < times; i++) {
            browser.press("Tab");
            reached.add(browser.see("document.activeElement.id").getAsString());
        }
        return reached;
    }

    @Test
    void wordsStandOnTheirPatches() throws IOException {
        Explanation.Area left = new Explanation.Area(0, 0, 80, 80);
        Explanation.Area right = new Explanation.Area(80, 0, 160, 80);
        open(
                FakeModel.builder()
                        .explanation(new Explanation(
                                160,
                                80,
                                Explanation.Measure.COSINE,
                                false,
                                List.of(new Explanation.Tile(0, 0, 0, 1, 2, new Explanation.Area(0, 0, 160, 80))),
                                List.of(patch(0, left, " heart"), patch(1, right, "<img src=x onerror=alert(1)>")),
                                List.of())),
                null);
        browser.choose("file", picture);
        browser.await("!document.getElementById('words').disabled");
        browser.see("document.getElementById('words').focus()");
        browser.press(" ");

        browser.await("document.querySelectorAll('.patch').length === 2");
        assertThat(browser.see("[...document.querySelectorAll('.patch')].map(e => e.textContent)")
                        .getAsJsonArray()
                        .asList())
                .extracting(JsonElement::getAsString)
                .containsExactly("heart", "<img src=x onerror=alert(1)>");
        assertThat(browser.see("(e => { const p = document.getElementById('picture').getBoundingClientRect(),"
                                + " b = e.getBoundingClientRect(); return Math.abs(b.left - p.left - p.width / 2)"
                                + " + Math.abs(b.width - p.width / 2) + Math.abs(b.height - p.height); })"
                                + "(document.querySelectorAll('.patch')[1])")
                        .getAsDouble())
                .as("where the right half of the picture is")
                .isLessThan(1);
        assertThat(browser.text("spoken")).contains("heart");
        assertThat(browser.see("document.getElementById('words').getAttribute('aria-pressed')")
                        .getAsString())
                .isEqualTo("true");
        browser.picture(Path.of("target/page-words.png"));

        browser.await("!document.getElementById('words').disabled");
        browser.see("document.getElementById('words').click()");
        assertThat(browser.see("document.querySelectorAll('.patch').length").getAsInt())
                .isZero();
    }

    private static Explanation.Patch patch(int column, Explanation.Area area, String word) {
        return new Explanation.Patch(
                0, 0, column, area, List.of(new Explanation.Weight(new Explanation.Word(7, word, word), 0.5f)));
    }

    @Test
    void whereThereIsAKeyItIsAskedForAndErrorsAreSaid() throws IOException {
        open(FakeModel.builder().otherwise("yes"), "secret");
        browser.choose("file", picture);
        browser.await("!document.getElementById('ask').disabled");
        browser.see("document.getElementById('ask').click()");
        browser.await("document.activeElement.id === 'key'");
        browser.await("document.getElementById('error').textContent.includes('key')");
        browser.type("secret");
        browser.press("Enter");
        browser.await("document.getElementById('answer').textContent === 'yes'");
        assertThat(browser.text("error")).isEmpty();

        Path broken = Files.writeString(scratch.resolve("broken.png"), "no picture");
        browser.choose("file", broken);
        browser.await("document.getElementById('answer').textContent === ''");
    }

    @Test
    void itCanBeReadInTheLightAndInTheDark() throws IOException {
        List<String> backgrounds = new ArrayList<>();
        for (String scheme : List.of("light", "dark")) {
            browser.prefer(scheme);
            open(FakeModel.builder().otherwise("A red heart on the left, and a long answer after it."), null);
            browser.choose("file", picture);
            browser.await("!document.getElementById('ask').disabled");
            browser.see("document.getElementById('ask').click()");
            browser.await("document.getElementById('answer').textContent.endsWith('it.')");
            browser.await("!document.getElementById('ask').disabled");
            browser.see("document.getElementById('error').textContent = 'An error'");
            for (String id : List.of("answer", "error", "question", "ask", "words", "file")) {
                double contrast = browser.see(CONTRAST + "(document.getElementById('" + id + "'))")
                        .getAsDouble();
                assertThat(contrast).as(scheme + " " + id).isGreaterThanOrEqualTo(4.5); // WCAG 2, AA
            }
            browser.see("document.getElementById('error').textContent = ''");
            backgrounds.add(browser.see("getComputedStyle(document.getElementById('answer')).backgroundColor")
                    .getAsString());
            browser.picture(Path.of("target/page-" + scheme + ".png"));
            assertThat(browser.see(
                                    "performance.getEntriesByType('resource')"
                                            + ".filter(r => !r.name.startsWith(location.origin) && !r.name.startsWith('data:')).length")
                            .getAsInt())
                    .as("nothing comes from elsewhere")
                    .isZero();
        }
        browser.prefer("light");
        assertThat(backgrounds).doesNotHaveDuplicates();
    }

    /** Of an element's words with what is behind them; Canvas is what the browser paints a page on. */
    private static final String CONTRAST = "(e => { const one = document.createElement('canvas').getContext('2d');"
            + " const rgb = c => { one.clearRect(0, 0, 1, 1); one.fillStyle = c; one.fillRect(0, 0, 1, 1);"
            + " return [...one.getImageData(0, 0, 1, 1).data]; };"
            + " const probe = document.body.appendChild(document.createElement('i'));"
            + " probe.style.backgroundColor = 'Canvas'; const canvas = getComputedStyle(probe).backgroundColor; probe.remove();"
            + " const behind = n => { if (!n) return rgb(canvas); const c = rgb(getComputedStyle(n).backgroundColor);"
            + " return c[3] === 255 ? c : behind(n.parentElement); };"
            + " const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= .03928 ? v / 12.92"
            + " : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };"
            + " const a = light(rgb(getComputedStyle(e).color)), b = light(behind(e));"
            + " return (Math.max(a, b) + .05) / (Math.min(a, b) + .05); })";
}
