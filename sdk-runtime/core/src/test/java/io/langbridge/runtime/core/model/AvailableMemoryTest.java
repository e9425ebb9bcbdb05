package io.langbridge.runtime.core.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AvailableMemoryTest {
    @TempDir
    private Path root;

    @Test
    void without_a_container_the_machine_says_it() throws IOException {
        write("proc/meminfo", "MemTotal:       16 kB\nMemAvailable:       1000 kB\n");
        assertThat(available()).isEqualTo(1_024_000L);
    }

    @Test
    void a_group_of_version_2_leaves_less() throws IOException {
        write("proc/meminfo", "MemAvailable:       1000 kB\n");
        write("proc/self/cgroup", "0::/app/one\n");
        write("sys/app/one/memory.max", "max\n");
        write("sys/app/one/memory.current", "10\n");
        write("sys/app/memory.max", "500000\n");
        write("sys/app/memory.current", "300000\n");
        write("sys/app/memory.stat", "anon 1\ninactive_file 50000\n");
        assertThat(available()).isEqualTo(250_000L);
    }

    @Test
    void a_group_of_version_1_leaves_less() throws IOException {
        write("proc/meminfo", "MemAvailable:       1000 kB\n");
        write("proc/self/cgroup", "5:cpu:/x\n4:hugetlb,memory:/docker/abc\n");
        // Inside, the container's group is the root.
        write("sys/memory/memory.limit_in_bytes", "400000\n");
        write("sys/memory/memory.usage_in_bytes", "100000\n");
        write("sys/memory/memory.stat", "total_inactive_file 20000\n");
        assertThat(available()).isEqualTo(320_000L);
    }

    @Test
    void no_limit_and_nonsense_are_no_limits() throws IOException {
        write("proc/meminfo", "MemAvailable:       1000 kB\n");
        write("proc/self/cgroup", "nonsense\n4:memory:/../../etc\n0::/\n");
        write("sys/memory/memory.limit_in_bytes", "9223372036854771712\n");
        write("sys/memory/memory.usage_in_bytes", "100000\n");
        write("sys/memory.max", "-5\n");
        assertThat(available()).isEqualTo(1_024_000L);
    }

    @Test
    void elsewhere_nothing_is_known() {
        assertThat(available()).isNull();
    }

    private @Nullable Long available() {
        return new AvailableMemory(root.resolve("proc"), root.resolve("sys")).bytes();
    }

    private void write(String file, String text) throws IOException {
        Path path = root.resolve(file);
        Files.createDirectories(path.getParent());
        Files.write(path, text.getBytes(StandardCharsets.UTF_8));
    }
}
