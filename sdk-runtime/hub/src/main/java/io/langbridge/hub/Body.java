package io.langbridge.hub;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The body of an answer as a stream that does not wait for ever: the client's own time limit ends with the headers.
 * Read by one thread.
 */
final class Body extends InputStream implements Flow.Subscriber<List<ByteBuffer>> {
    private static final Event END = new Event(null, null);

    private final Duration stallTimeout;
    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private final Queue<ByteBuffer> buffers = new ArrayDeque<>();
    private Flow.@Nullable Subscription subscription;
    private boolean closed;
    private boolean ended;

    private record Event(
            @Nullable List<ByteBuffer> bytes, @Nullable Throwable error) {}

    Body(Duration stallTimeout) {
        this.stallTimeout = stallTimeout;
    }

    @Override
    public synchronized void onSubscribe(Flow.Subscription subscription) {
        this.subscription = subscription;
        if (closed) {
            subscription.cancel();
        } else {
            subscription.request(1);
        }
    }

    @Override
    public void onNext(List<ByteBuffer> bytes) {
        events.add(new Event(bytes, null));
    }

    @Override
    public void onError(Throwable error) {
        events.add(new Event(null, error));
    }

    @Override
    public void onComplete() {
        events.add(END);
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        while (true) {
            ByteBuffer next = buffers.peek();
            if (next == null) {
                if (ended || !take()) {
                    return -1;
                }
            } else if (next.hasRemaining()) {
                int count = Math.min(length, next.remaining());
                next.get(target, offset, count);
                return count;
            } else {
                buffers.remove();
            }
        }
    }

    /** Waits for the next bytes; false at the end. */
    private boolean take() throws IOException {
        Event event;
        try {
            event = events.poll(stallTimeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            close();
            Thread.currentThread().interrupt();
            throw (IOException) new InterruptedIOException("interrupted").initCause(e);
        }
        if (event == null) {
            close();
            throw new HttpTimeoutException("no byte came for " + stallTimeout.toSeconds() + " s");
        }
        if (event.bytes() != null) {
            buffers.addAll(event.bytes());
            request();
            return true;
        }
        ended = true;
        if (event.error() != null) {
            throw new IOException(event.error().toString(), event.error());
        }
        return false;
    }

    private synchronized void request() {
        if (subscription != null) {
            subscription.request(1);
        }
    }

    /** Gives up what has not come yet. */
    @Override
    public synchronized void close() {
        closed = true;
        if (subscription != null) {
            subscription.cancel();
        }
    }
}
