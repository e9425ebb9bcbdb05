package io.langbridge.drawing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.langbridge.Explanation;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PageTest {
    private static final Pattern REPORT = Pattern.compile("data-report=\"([^\"]*)\"");

    @TempDir
    Path scratch;

    private static String page(Explanation explanation) {
        return ExplanationDrawing.of(explanation, Explained.picture(explanation.width(), explanation.height()))
                .page();
    }

    /** Runs a script in the page, which puts what it sees into {@code report}, and reads that. */
    private JsonObject run(Explanation explanation, String script) throws Exception {
        Optional<Chromium> chromium = Chromium.find();
        assumeTrue(chromium.isPresent(), "There is no Chromium on this machine (Debian: apt-get install chromium)");
        String test = "<script>addEventListener('load', () => {const report = {errors: []};"
                + "addEventListener('error', e => report.errors.push(e.message));"
                + "const stage = document.getElementById('stage');"
                + "const at = (x, y, type) => {const box = stage.getBoundingClientRect();"
                + "stage.dispatchEvent(new PointerEvent(type, {bubbles: true,"
                + " clientX: box.left + box.width * x, clientY: box.top + box.height * y}));};"
                + "const texts = id => [...document.querySelectorAll('#' + id + ' .text')].map(e => e.textContent);"
                + "const pixel = (x, y) => {const c = stage.querySelector('canvas');"
                + "return [...c.getContext('2d').getImageData(c.width * x, c.height * y, 1, 1).data];};"
                + "try {" + script + "} catch (e) {report.errors.push(String(e));}"
                + "report.hacked = window.hacked === undefined ? 0 : 1;"
                + "report.fetched = performance.getEntriesByType('resource').filter(r => !r.name.startsWith('data:')).length;"
                + "document.body.dataset.report = btoa(unescape(encodeURIComponent(JSON.stringify(report))));"
                + "});</script></body>";
        Path file = scratch.resolve("page.html");
        Files.writeString(file, page(explanation).replace("</body>", test), StandardCharsets.UTF_8);
        String dom = chromium.orElseThrow().dom(file, scratch);
        Matcher report = REPORT.matcher(dom);
        assertThat(report.find()).as(dom).isTrue();
        String json = new String(Base64.getDecoder().decode(report.group(1)), StandardCharsets.UTF_8);
        JsonObject result = JsonParser.parseString(json).getAsJsonObject();
        assertThat(result.get("errors")).hasToString("[]");
        assertThat(result.get("hacked").getAsInt()).isZero();
        assertThat(result.get("fetched").getAsInt()).isZero();
        return result;
    }

    @Test
    void the_page_needs_nothing_else() {
        String page = page(Explained.padded(200, 100, 4));

        assertThat(page)
                .contains("default-src 'none'")
                .doesNotContainPattern("https?://|url\\(|@import|<link|<iframe|src=\"")
                .doesNotContain("\"DATA\"");
    }

    @Test
    void tokens_cannot_break_out_of_the_page() {
        String page = page(Explained.padded(200, 100, 4));

        assertThat(page).doesNotContain("<img src=x").doesNotContain("\u2028").contains("\\u003c/script\\u003e");
        // The data and the program, and both end where they should.
        assertThat(page.split("</script>", -1)).hasSize(3);
    }

    @Test
    void pointing_at_a_patch_shows_its_words() throws Exception {
        JsonObject report = run(
                Explained.padded(200, 100, 4),
                "at(.1, .1, 'pointermove'); report.corner = texts('patch-words');"
                        + "report.title = document.getElementById('patch-title').textContent;"
                        + "at(.9, .1, 'pointermove'); report.other = texts('patch-words');"
                        + "at(.1, .1, 'click'); at(.9, .1, 'pointermove'); report.kept = texts('patch-words');");

        assertThat(strings(report, "corner")).containsExactly("corner", Explained.HOSTILE);
        assertThat(strings(report, "other")).containsExactly(Explained.ORIENTAL.text(), Explained.HOSTILE);
        assertThat(strings(report, "kept")).containsExactly("corner", Explained.HOSTILE);
        assertThat(report.get("title").getAsString()).isEqualTo("row 1, column 1");
    }

    @Test
    void choosing_a_word_lights_its_patches() throws Exception {
        JsonObject report = run(
                Explained.padded(200, 100, 4),
                "report.words = texts('picture-words'); report.before = pixel(.1, .1);"
                        + "document.querySelector('#picture-words .word').click();"
                        + "report.lit = stage.dataset.lit; report.there = pixel(.1, .1); report.elsewhere = pixel(.6, .6);"
                        + "document.querySelectorAll('#picture-words .word')[1].click();"
                        + "report.evil = stage.dataset.lit; report.negative = pixel(.1, .1);"
                        + "document.querySelectorAll('#picture-words .word')[1].click();"
                        + "report.off = pixel(.1, .1);");

        assertThat(strings(report, "words")).containsExactly("corner", Explained.HOSTILE);
        assertThat(report.get("lit").getAsString()).isEqualTo("1");
        assertThat(report.get("evil").getAsString()).isEqualTo("16");
        assertThat(report.get("before")).hasToString("[0,0,0,0]");
        assertThat(colour(report, "there", 0)).isGreaterThan(colour(report, "there", 2) + 100);
        assertThat(colour(report, "there", 3)).isGreaterThan(150);
        assertThat(report.get("elsewhere")).hasToString("[0,0,0,0]");
        assertThat(colour(report, "negative", 2)).isGreaterThan(colour(report, "negative", 0) + 100);
        assertThat(report.get("off")).hasToString("[0,0,0,0]");
    }

    @Test
    void a_word_of_a_patch_that_has_no_heat_map_lights_the_patches_that_name_it() throws Exception {
        JsonObject report = run(
                Explained.padded(200, 100, 4),
                "at(.9, .1, 'pointermove'); document.querySelector('#patch-words .word').click();"
                        + "report.lit = stage.dataset.lit; report.there = pixel(.9, .1);");

        assertThat(report.get("lit").getAsString()).isEqualTo("8");
        assertThat(colour(report, "there", 3)).isPositive();
    }

    @Test
    void words_stand_on_the_picture_from_the_beginning_once_for_neighbours_and_not_on_empty_ground() throws Exception {
        JsonObject report = run(
                Explained.emptyBelow(Explained.padded(200, 100, 4)),
                "const svg = stage.querySelector('svg');"
                        + "report.labels = [...svg.querySelectorAll('.first')].map(e => e.textContent);"
                        + "report.fits = [...svg.querySelectorAll('text')].every(e => {const b = e.getBoundingClientRect(),"
                        + " s = stage.getBoundingClientRect(); return b.left >= s.left && b.right <= s.right;});"
                        + "report.veils = [...svg.querySelectorAll('.veil')].reduce((n, e) => n + e.getAttribute('d').split('M').length - 1, 0);"
                        + "at(.1, .9, 'pointermove'); report.below = document.querySelector('#patch-words').textContent;"
                        + "document.querySelector('#show').click(); report.hidden = getComputedStyle(svg).display;");

        // Columns of one word each, but the first patch; rows of a padded picture are higher than wide.
        assertThat(strings(report, "labels"))
                .containsExactly(
                        "corner",
                        Explained.ORIENTAL.text(),
                        Explained.LONG.text(),
                        Explained.ORIENTAL.text(),
                        Explained.LONG.text());
        assertThat(report.get("fits").getAsBoolean()).isTrue();
        assertThat(report.get("veils").getAsInt()).isEqualTo(12);
        assertThat(report.get("below").getAsString()).isEqualTo("Nothing lies here.");
        assertThat(report.get("hidden").getAsString()).isEqualTo("none");
    }

    @Test
    void a_keyboard_goes_from_patch_to_patch() throws Exception {
        JsonObject report = run(
                Explained.padded(200, 100, 4),
                "const title = () => document.getElementById('patch-title').textContent;"
                        + "const key = k => stage.dispatchEvent(new KeyboardEvent('keydown', {key: k, bubbles: true}));"
                        + "stage.focus(); report.focused = document.activeElement.id;"
                        + "key('ArrowRight'); report.first = title(); key('ArrowRight'); key('ArrowDown'); report.moved = title();"
                        + "report.words = texts('patch-words'); key('Enter'); report.kept = title();"
                        + "key('ArrowUp'); key('ArrowUp'); report.edge = title(); key('Escape'); report.none = title();"
                        + "report.live = document.getElementById('patch').getAttribute('aria-live');"
                        + "report.name = stage.getAttribute('aria-label');");

        assertThat(report.get("focused").getAsString()).isEqualTo("stage");
        assertThat(report.get("first").getAsString()).isEqualTo("row 1, column 1");
        assertThat(report.get("moved").getAsString()).isEqualTo("row 2, column 2");
        assertThat(strings(report, "words")).containsExactly(Explained.ORIENTAL.text(), Explained.HOSTILE);
        assertThat(report.get("kept").getAsString()).isEqualTo("row 2, column 2 (kept)");
        assertThat(report.get("edge").getAsString()).isEqualTo("row 1, column 2");
        assertThat(report.get("none").getAsString()).startsWith("Point at a patch");
        assertThat(report.get("live").getAsString()).isEqualTo("polite");
        assertThat(report.get("name").getAsString()).isNotBlank();
    }

    @Test
    void the_words_can_be_filtered() throws Exception {
        JsonObject report = run(
                Explained.padded(200, 100, 4),
                "const f = document.getElementById('filter'); f.value = 'CORN'; f.dispatchEvent(new Event('input'));"
                        + "report.words = texts('picture-words');");

        assertThat(strings(report, "words")).containsExactly("corner");
    }

    @Test
    void with_tiles_there_are_two_layers_and_the_finer_one_is_shown_first() throws Exception {
        JsonObject report = run(
                Explained.quartered(200, 100, 4),
                "report.layers = [...document.querySelectorAll('#layers button')].map(b => b.textContent);"
                        + "document.querySelector('#picture-words .word').click(); report.fine = stage.dataset.lit;"
                        + "at(.55, .05, 'pointermove'); report.title = document.getElementById('patch-title').textContent;"
                        + "document.querySelector('#layers button').click(); report.coarse = stage.dataset.lit;"
                        + "at(.55, .05, 'pointermove'); report.whole = document.getElementById('patch-title').textContent;");

        assertThat(strings(report, "layers")).containsExactly("Whole picture", "4 tiles");
        assertThat(report.get("fine").getAsString()).isEqualTo("4");
        assertThat(report.get("coarse").getAsString()).isEqualTo("1");
        assertThat(report.get("title").getAsString()).isEqualTo("Tile 2, row 1, column 1");
        assertThat(report.get("whole").getAsString()).isEqualTo("Whole picture, row 1, column 3");
    }

    private static Iterable<String> strings(JsonObject report, String name) {
        return report.getAsJsonArray(name).asList().stream()
                .map(each -> each.getAsString())
                .toList();
    }

    private static int colour(JsonObject report, String name, int channel) {
        return report.getAsJsonArray(name).get(channel).getAsInt();
    }
}
