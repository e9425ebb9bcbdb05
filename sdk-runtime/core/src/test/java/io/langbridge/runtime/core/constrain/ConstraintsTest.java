package io.langbridge.runtime.core.constrain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.PromptException;
import io.langbridge.runtime.core.text.Tokenizer;
import java.nio.file.Paths;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(300)
class ConstraintsTest {
    private static final String SCHEMA = "{\"enum\": [\"a\", \"b\"]}";

    private final ExecutorService others = Executors.newCachedThreadPool();
    private final Constraints constraints = new Constraints(Tokenizer.of(Paths.get("src/test/resources/qwen2-style")));
    private final AtomicInteger made = new AtomicInteger();

    @AfterEach
    void end() {
        others.shutdownNow();
    }

    private SchemaReader.Result make() {
        made.incrementAndGet();
        return SchemaReader.read(SCHEMA);
    }

    @Test
    void while_one_schema_is_made_others_do_not_wait_and_who_wants_the_same_has_it_made_once() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        Future<Constraint> first = others.submit(() -> constraints.make("slow", "slow", () -> {
            begun.countDown();
            awaitQuietly(goOn);
            return make();
        }));
        begun.await();
        Future<Constraint> second = others.submit(() -> constraints.make("slow", "slow", this::make));
        assertThat(constraints.jsonSchema(SCHEMA).allowed().size()).isPositive();
        assertThat(constraints.pattern("[ab]").allowed().size()).isPositive();
        assertThat(first.isDone() || second.isDone()).isFalse();
        goOn.countDown();
        assertThat(first.get().allowed().size()).isPositive();
        assertThat(second.get().allowed().size()).isPositive();
        assertThat(made).hasValue(1);
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void the_latest_are_kept_and_what_failed_is_not() {
        for (int i = 0; i < 8; i++) {
            constraints.make("schema " + i, "one", this::make);
        }
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < 20; i++) {
                String wrong = "{\"not\": " + i + "}";
                assertThatThrownBy(() -> constraints.jsonSchema(wrong)).isInstanceOf(PromptException.class);
            }
        }
        constraints.make("schema 1", "one", this::make);
        assertThat(made).hasValue(8);
        for (int i = 10; i < 17; i++) {
            constraints.make("schema " + i, "one", this::make);
        }
        constraints.make("schema 1", "one", this::make); // used later than the others
        assertThat(made).hasValue(15);
        constraints.make("schema 2", "one", this::make);
        assertThat(made).hasValue(16);
    }
}
