package io.langbridge.examples.springboot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;

/** The form as people meet it. */
class FormTest {
    @TempDir(cleanup = CleanupMode.NEVER) // the browser's helpers write into it for a moment after its end
    Path profile;

    @TempDir
    Path scratch;

    @Test
    void theAnswerStreamsIntoThePage() throws Exception {
        Optional<Path> program = Browser.program();
        assumeTrue(program.isPresent(), "There is no Chromium on this machine (Debian: apt-get install chromium)");
        try (ConfigurableApplicationContext context =
                        SpringApplication.run(Application.class, "--server.port=0", "--spring.main.banner-mode=off");
                Browser browser = new Browser(program.get(), profile)) {
            browser.open("http://127.0.0.1:" + context.getEnvironment().getProperty("local.server.port") + "/");
            // What the page is given to show on the way; several events that come at once are painted once.
            browser.see(
                    "window.seen = []; { const own = Object.getOwnPropertyDescriptor(Node.prototype, 'textContent');"
                            + " Object.defineProperty(document.getElementById('answer'), 'textContent', { get: own.get,"
                            + " set(text) { seen.push(text); own.set.call(this, text); } }); }");
            browser.choose("picture", Path.of("src/test/resources/picture.png"));
            browser.await("document.getElementById('shown').naturalWidth > 0");
            browser.see("document.getElementById('question').select(); document.getElementById('question').focus()");
            browser.type("What is on the right?");
            browser.press("Enter");

            browser.await("document.getElementById('answer').textContent === 'a purple crescent'");
            browser.await("!document.getElementById('ask').disabled");
            assertEquals("", browser.text("error"));
            assertTrue(browser.see("seen.includes('a')").getAsBoolean(), "its first piece came alone");
            browser.picture(Path.of("target/form.png"));

            browser.choose("picture", Files.writeString(scratch.resolve("none.png"), "no picture"));
            browser.see("document.getElementById('ask').click()");
            browser.await("document.getElementById('error').textContent.includes('picture')");
            assertEquals("", browser.text("answer"));
            assertTrue(
                    browser.spoken().contains("textbox Question"),
                    browser.spoken().toString());
            assertTrue(browser.spoken().contains("button Ask"), browser.spoken().toString());
        }
    }
}
