package io.langbridge.runtime.core.model;

import io.langbridge.Answer;
import io.langbridge.Message;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a KV cache between two uses: of the model the one of its last request, so that another question about the same
 * picture runs only what is new, and of a chat its own. One cache is kept; requests that run side by side open their
 * own. Thread-safe.
 */
final class IdleSession implements Generation.SessionSource {
    private final LoadedModel model;
    private @Nullable CachedSession idle;
    private boolean closed;

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
        return CachedSession.prepare(old, needed, model.mostPositions(), model.sharedDecoder());
    }

    @Override
    public void giveBack(@Nullable CachedSession session, List<Message> messages, @Nullable Answer answer) {
        if (session != null) {
            giveBack(session);
        }
    }

    void giveBack(CachedSession session) {
        CachedSession surplus = session;
        synchronized (this) {
            if (!closed) {
                surplus = idle;
                idle = session;
            }
        }
        if (surplus != null) {
            surplus.close();
        }
    }

    /** Frees the cache, and from now on what is given back. */
    void close() {
        CachedSession last;
        synchronized (this) {
            closed = true;
            last = idle;
            idle = null;
        }
        if (last != null) {
            last.close();
        }
    }
}
