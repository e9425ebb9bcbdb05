package io.langbridge.runtime.core.model;

import io.langbridge.Answer;
import io.langbridge.Message;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the KV cache of the last request, so that another question about the same picture runs only what is new. One
 * cache is kept; requests that run side by side open their own. Thread-safe.
 */
final class IdleSession implements Generation.SessionSource {
    private final LoadedModel model;
    private @Nullable CachedSession idle;

    IdleSession(LoadedModel model) {
        this.model = model;
    }

    @Override
    public CachedSession take(long[] prompt, int needed) {
        CachedSession old;
        synchronized (this) {
            old = idle;
            idle = null;
        }
        return CachedSession.prepare(old, needed, model.contextLength(), model.decoder());
    }

    @Override
    public void giveBack(@Nullable CachedSession session, List<Message> messages, @Nullable Answer answer) {
        if (session == null) {
            return;
        }
        CachedSession surplus = session;
        synchronized (this) {
            if (!model.isClosed()) {
                surplus = idle;
                idle = session;
            }
        }
        if (surplus != null) {
            surplus.close();
        }
    }

    synchronized void close() {
        if (idle != null) {
            idle.close();
            idle = null;
        }
    }
}
