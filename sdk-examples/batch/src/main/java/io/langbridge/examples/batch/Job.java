package io.langbridge.examples.batch;

import io.langbridge.Image;
import io.langbridge.VisionLanguageModel;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/** Asks about pictures, several at a time. */
final class Job {
    private final Supplier<VisionLanguageModel> loader;
    private final Task task;
    private final String revision;
    private final Answers answers;
    private final ExecutorService threads;
    private final int concurrent;
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile boolean stopped;
    private volatile VisionLanguageModel model;
    private volatile Throwable failure;

    /**
     * Prepares it.
     *
     * @param loader loads the model; not called where nothing is to be asked
     * @param revision of the model
     */
    Job(Supplier<VisionLanguageModel> loader, Task task, String revision, Answers answers, int concurrent) {
        this.loader = loader;
        this.task = task;
        this.revision = revision;
        this.answers = answers;
        this.concurrent = concurrent;
        threads = new ThreadPoolExecutor(
                concurrent,
                concurrent,
                0,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                new ThreadPoolExecutor.DiscardPolicy()); // who ends the job may be ahead of who starts its threads
    }

    /** @return whether it came to its end */
    boolean run(Path folder, List<Path> pictures, Progress progress) throws IOException {
        AtomicInteger next = new AtomicInteger();
        String key = task.key(revision);
        progress.begin(pictures.size());
        for (int i = 0; i < concurrent; i++) {
            threads.execute(() -> {
                try {
                    for (int at = next.getAndIncrement();
                            at < pictures.size() && !stopped;
                            at = next.getAndIncrement()) {
                        ask(folder, pictures.get(at), key, progress);
                    }
                } catch (IOException | RuntimeException | Error e) {
                    failed(e);
                }
            });
        }
        threads.shutdown();
        try {
            threads.awaitTermination(Long.MAX_VALUE, TimeUnit.DAYS);
        } catch (InterruptedException e) {
            stopped = true;
            threads.shutdownNow();
        } finally {
            if (model != null) {
                model.close();
            }
            progress.end();
            ended.countDown();
        }
        if (failure instanceof IOException e) {
            throw e;
        }
        if (failure instanceof Error e) {
            throw e;
        }
        if (failure instanceof RuntimeException e) {
            throw e;
        }
        return !stopped;
    }

    /** What is no fault of a picture's ends the job. Who is interrupted because it ends fails too, which is no news. */
    private synchronized void failed(Throwable e) {
        if (!stopped) {
            failure = e;
            stopped = true;
            threads.shutdownNow();
        }
    }

    private void ask(Path folder, Path picture, String key, Progress progress) throws IOException {
        Answered row = new Answered();
        row.picture = folder.relativize(picture).toString();
        row.task = key;
        row.model = revision;
        try {
            row.sha256 = sha256(picture);
        } catch (IOException e) { // the next run tries again
            row.error = e.toString();
        }
        if (row.error == null) {
            if (answers.has(row.sha256, key)) {
                progress.passedOver();
                return;
            }
            task.ask(model(progress), Image.of(picture), row);
        }
        if (stopped) { // and what came of it is half an answer, or none
            return;
        }
        answers.add(row);
        progress.asked(row.error == null);
    }

    private static String sha256(Path file) throws IOException {
        MessageDigest digest = Task.sha256();
        try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
            in.transferTo(OutputStream.nullOutputStream());
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private synchronized VisionLanguageModel model(Progress progress) {
        if (model == null) {
            VisionLanguageModel loaded = loader.get();
            model = loaded; // from now on it is closed at the end
            try {
                task.check(loaded);
            } catch (RuntimeException e) {
                failed(e); // before another thread asks with it
                throw e;
            }
            progress.start();
        }
        return model;
    }

    /** Ends what runs, and waits until the file is complete. */
    void stop() {
        stopped = true;
        threads.shutdownNow();
        try {
            if (model != null) { // else nothing was asked yet
                ended.await(30, TimeUnit.SECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
