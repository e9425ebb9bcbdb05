package io.langbridge.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Kills downloads at random moments, two processes at once, and looks after each kill whether any file that a snapshot
 * names is wrong; at the end, whether all are there. Run by hand, since it takes minutes:
 *
 * <pre>{@code
 * java -cp ... io.langbridge.hub.Drill 200
 * }</pre>
 */
final class Drill {
    private static final byte[] WEIGHTS = FakeHub.bytes(12_000_000, 1);

    private Drill() {}

    /** The process that is killed. */
    static final class Child {
        private Child() {}

        /**
         * Fetches a model.
         *
         * @param args endpoint and cache
         */
        public static void main(String[] args) {
            Hub hub = Hub.builder()
                    .endpoint(args[0])
                    .cache(Path.of(args[1]))
                    .token("")
                    .offline(false)
                    .retryFor(Duration.ofSeconds(20))
                    .build();
            boolean[] said = {false};
            hub.model(FakeHub.REPOSITORY)
                    .listener(progress -> {
                        if (!said[0]) {
                            said[0] = true;
                            System.out.println("begun");
                        }
                    })
                    .get();
        }
    }

    /**
     * Runs the drill.
     *
     * @param args how many times to kill; 200 if nothing is said
     */
    public static void main(String[] args) throws Exception {
        int kills = args.length > 0 ? Integer.parseInt(args[0]) : 200;
        long seed = args.length > 1 ? Long.parseLong(args[1]) : System.nanoTime();
        Random random = new Random(seed);
        System.out.println("seed " + seed);
        Path cache = Files.createTempDirectory("drill");
        int finished = 0;
        long bytes = 0;
        try (FakeHub fake = new FakeHub()) {
            fake.smallModel().file("model.safetensors", WEIGHTS).slow(65_536, 3);
            for (int killed = 0; killed < kills; ) {
                List<Process> pair = List.of(child(fake, cache), child(fake, cache));
                for (Process process : pair) {
                    // Mostly from the first file on, sometimes from the very start.
                    if (random.nextInt(8) > 0) {
                        process.getInputStream().read();
                    }
                }
                for (Process process : pair) {
                    if (process.waitFor(random.nextInt(1000), TimeUnit.MILLISECONDS)) {
                        require(process.exitValue() == 0, "a process that was left alone failed");
                        finished++;
                    } else {
                        process.destroyForcibly().waitFor();
                        killed++;
                    }
                }
                bytes += look(cache);
                if (finished > 0 && random.nextInt(3) == 0) {
                    Hub.builder().cache(cache).token("").build().delete(FakeHub.REPOSITORY);
                }
            }
            Process last = child(fake, cache);
            require(last.waitFor(2, TimeUnit.MINUTES) && last.exitValue() == 0, "the last run failed");
            Hub hub = Hub.builder().cache(cache).token("").offline(true).build();
            Path folder = hub.model(FakeHub.REPOSITORY).get();
            require(Files.mismatch(folder.resolve("model.safetensors"), write(WEIGHTS)) < 0, "the weights are wrong");
            require(hub.verify(FakeHub.REPOSITORY).healthy(), "the cache is damaged");
            long ranged = fake.seen.stream().filter(s -> s.range() != null).count();
            System.out.println(kills + " of " + kills + " held: " + finished
                    + " runs that ended before they were killed, " + ranged + " downloads gone on with, "
                    + bytes / 1_000_000 + " MB of files looked at: no wrong file");
        }
    }

    private static Path write(byte[] bytes) throws IOException {
        return Files.write(Files.createTempFile("drill", ".bin"), bytes);
    }

    /** Whatever a snapshot or a blob's final name shows must be whole and right, at any moment. */
    private static long look(Path cache) throws IOException {
        Path folder = cache.resolve("models--org--model");
        long bytes = 0;
        if (!Files.isDirectory(folder)) {
            return bytes;
        }
        List<Path> files = new ArrayList<>();
        try (Stream<Path> all = Files.walk(folder)) {
            all.filter(Files::isRegularFile).forEach(files::add);
        }
        for (Path file : files) {
            String name = file.toRealPath().getFileName().toString();
            String parent = String.valueOf(file.getParent());
            if (Names.isCommit(name) || Names.isSha256(name)) {
                if (parent.endsWith(".langbridge")) {
                    continue;
                }
                require(BlobHash.fits(file, name), file + " is wrong");
                bytes += Files.size(file);
            } else if (parent.endsWith("refs")) {
                require(Files.readString(file).equals(FakeHub.COMMIT), file + " is wrong");
            } else if (parent.endsWith("trees")) {
                Listing.ofCache(Files.readAllBytes(file), file.toString());
            }
        }
        return bytes;
    }

    private static Process child(FakeHub fake, Path cache) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xshare:auto",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Child.class.getName(),
                        fake.endpoint(),
                        cache.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    private static void require(boolean fine, String what) {
        if (!fine) {
            throw new IllegalStateException(what);
        }
    }
}
