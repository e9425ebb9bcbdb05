package io.langbridge.spring.boot;

import java.util.function.BooleanSupplier;
import org.springframework.context.SmartLifecycle;

/**
 * Lets requests end before the model is closed, those too that did not come through the web server: Spring waits for it
 * as long as {@code spring.lifecycle.timeout-per-shutdown-phase} says. It comes after what may still ask: servers,
 * listeners to queues and executors stop in earlier phases.
 */
final class LangBridgeDrain implements SmartLifecycle {
    private static final int PAUSE = 20;

    private final BooleanSupplier idle;
    private volatile boolean running;

    LangBridgeDrain(BooleanSupplier idle) {
        this.idle = idle;
    }

    @Override
    public void start() {
        running = true;
    }

    @Override
    public void stop() {
        running = false;
    }

    @Override
    public void stop(Runnable callback) {
        Thread thread = new Thread(
                () -> {
                    try {
                        // Twice: between the end of one request and the beginning of one that waits, none runs.
                        for (int quiet = 0; quiet < 2; quiet = idle.getAsBoolean() ? quiet + 1 : 0) {
                            Thread.sleep(PAUSE);
                        }
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    } finally {
                        stop();
                        callback.run();
                    }
                },
                "langbridge-drain");
        thread.setDaemon(true); // if Spring's patience ends first
        thread.start();
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    @Override
    public int getPhase() {
        return 0;
    }
}
