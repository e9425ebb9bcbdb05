package io.langbridge.examples.batch;

import java.io.PrintStream;
import java.util.Locale;

/** A bar on a terminal; elsewhere a line now and then. Safe for use by several threads. */
final class Progress {
    private static final int WIDTH = 24;

    private final PrintStream out;
    private final boolean terminal;
    private final long pause;
    private int all;
    private int passedOver;
    private int asked;
    private int failed;
    private long begin;
    private long shown;

    Progress(PrintStream out, boolean terminal) {
        this.out = out;
        this.terminal = terminal;
        pause = terminal ? 200_000_000L : 10_000_000_000L;
    }

    synchronized void begin(int pictures) {
        all = pictures;
        start();
    }

    /** The model is there: what went before says nothing of what is to come. */
    synchronized void start() {
        begin = shown = System.nanoTime();
    }

    synchronized void passedOver() {
        passedOver++;
        show(false);
    }

    synchronized void asked(boolean well) {
        asked++;
        failed += well ? 0 : 1;
        show(false);
    }

    synchronized void end() {
        show(true);
        if (terminal) {
            out.println();
        }
    }

    private void show(boolean now) {
        long time = System.nanoTime();
        if (!now && time - shown < pause) {
            return;
        }
        shown = time;
        String line = line((time - begin) / 1e9);
        out.print(terminal ? "\r" + line + "\u001b[K" : line + System.lineSeparator());
        out.flush();
    }

    /** Rate and time left are of what was asked: passing over takes no time. */
    String line(double seconds) {
        int done = passedOver + asked;
        int part = all == 0 ? WIDTH : done * WIDTH / all;
        double rate = asked / Math.max(seconds, 1e-9);
        String left = asked == 0 ? "" : ", " + time((all - done) / rate) + " left";
        return String.format(
                Locale.ROOT,
                "[%s%s] %d of %d, %.1f/s%s%s%s",
                "#".repeat(part),
                ".".repeat(WIDTH - part),
                done,
                all,
                rate,
                left,
                passedOver == 0 ? "" : ", " + passedOver + " had an answer",
                failed == 0 ? "" : ", " + failed + " failed");
    }

    private static String time(double seconds) {
        long whole = Math.round(seconds);
        return whole < 60
                ? whole + " s"
                : whole < 3600 ? whole / 60 + " min" : whole / 3600 + " h " + whole / 60 % 60 + " min";
    }
}
