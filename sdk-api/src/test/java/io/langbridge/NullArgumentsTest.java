package io.langbridge;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Calls everything an application can call without a model, with one null at a time. */
class NullArgumentsTest {
    private static final List<Supplier<Object>> OBJECTS = List.of(
            () -> Encoder.of(Path.of("e")),
            () -> Adapter.langBridge(Path.of("a")),
            () -> Adapter.projector(Path.of("p")),
            () -> Llm.of(Path.of("l")),
            GenerationOptions::builder,
            ExplainOptions::builder,
            Request::builder,
            VisionLanguageModel::builder);

    private static final List<Class<?>> TYPES = List.of(
            Encoder.class,
            Adapter.class,
            AdapterWriter.class,
            Device.class,
            EngineName.class,
            Llm.class,
            Request.class,
            Image.class,
            Message.class,
            Message.Text.class,
            Message.ImagePart.class,
            Message.EncodedImagePart.class,
            Message.Answered.class,
            GenerationOptions.class,
            ExplainOptions.class,
            VisionLanguageModel.class);

    @Test
    void aNullIsRefusedAtOnceAndByName() throws Exception {
        List<String> wrong = new ArrayList<>();
        int calls = 0;
        for (Class<?> type : TYPES) {
            for (Constructor<?> constructor : type.getConstructors()) {
                calls += check(constructor, () -> null, wrong);
            }
            for (Method method : type.getDeclaredMethods()) {
                if (Modifier.isStatic(method.getModifiers()) && Modifier.isPublic(method.getModifiers())) {
                    calls += check(method, () -> null, wrong);
                }
            }
        }
        for (Supplier<Object> object : OBJECTS) {
            for (Method method : object.get().getClass().getDeclaredMethods()) {
                if (Modifier.isPublic(method.getModifiers()) && !Modifier.isStatic(method.getModifiers())) {
                    calls += check(method, object, wrong);
                }
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(calls).isGreaterThan(25);
    }

    private static int check(Executable call, Supplier<@Nullable Object> object, List<String> wrong)
            throws ReflectiveOperationException {
        int calls = 0;
        Class<?>[] types = call.getParameterTypes();
        for (int i = 0; i < types.length; i++) {
            AnnotatedElement annotated = call.getAnnotatedParameterTypes()[i];
            if (types[i].isPrimitive() || annotated.isAnnotationPresent(Nullable.class) || isEquals(call)) {
                continue;
            }
            Object[] arguments = new Object[types.length];
            for (int k = 0; k < types.length; k++) {
                arguments[k] = k == i ? null : some(types[k]);
            }
            calls++;
            String failure = failure(call, object.get(), arguments);
            if (failure == null) {
                wrong.add(call + ", parameter " + i + ": accepted");
            } else if (!failure.startsWith(NullPointerException.class.getName())
                    || failure.contains("Cannot ")
                    || failure.endsWith("null")) {
                wrong.add(call + ", parameter " + i + ": " + failure);
            }
        }
        return calls;
    }

    private static boolean isEquals(Executable call) {
        return call.getName().equals("equals");
    }

    private static @Nullable String failure(Executable call, @Nullable Object object, @Nullable Object[] arguments)
            throws ReflectiveOperationException {
        try {
            if (call instanceof Constructor<?> constructor) {
                constructor.newInstance(arguments);
            } else {
                ((Method) call).invoke(object, arguments);
            }
            return null;
        } catch (InvocationTargetException e) {
            return String.valueOf(e.getCause());
        }
    }

    private static @Nullable Object some(Class<?> type) {
        if (type == int.class) {
            return 1;
        } else if (type == long.class) {
            return 1L;
        } else if (type == double.class || type == float.class) {
            return 1.0;
        } else if (type == boolean.class) {
            return true;
        } else if (type == String.class) {
            return "word";
        } else if (type == Path.class) {
            return Path.of("folder");
        } else if (type == Duration.class) {
            return Duration.ofSeconds(1);
        } else if (type == List.class) {
            return new ArrayList<>(Arrays.asList(new Message.Text("word")));
        } else if (type == Image.class) {
            return Image.of(Path.of("picture.png"));
        } else if (type.isArray()) {
            return Array.newInstance(type.getComponentType(), 0);
        } else if (type.isEnum()) {
            return type.getEnumConstants()[0];
        } else if (type == ImageLimits.class) {
            return ImageLimits.defaults();
        } else if (type == LangBridgeAdapter.class) {
            return Adapter.langBridge(Path.of("adapter"));
        } else if (type == Llm.class) {
            return Llm.of(Path.of("llm"));
        }
        return null;
    }

    @Test
    void whatContradictsItselfIsRefusedInWordsThatNameBoth() {
        assertThat(refused(() -> VisionLanguageModel.builder()
                        .folder(Path.of("f"))
                        .maxQueuedRequests(3)
                        .build()))
                .contains("maxQueuedRequests(3)", "maxConcurrentRequests(..)");
    }

    @Test
    void aTimeLimitIsPositiveAndTheRequestsOwnWins() {
        GenerationOptions options =
                GenerationOptions.builder().timeout(Duration.ofSeconds(9)).build();
        Request own = Request.builder()
                .text("What?")
                .timeout(Duration.ofSeconds(2))
                .options(options)
                .build();
        assertThat(own.timeout()).isEqualTo(Duration.ofSeconds(2));
        Request given = Request.builder().text("What?").options(options).build();
        assertThat(given.timeout()).isEqualTo(Duration.ofSeconds(9));
        assertThat(options.toBuilder().build().timeout()).isEqualTo(Duration.ofSeconds(9));
        for (Duration wrong : List.of(Duration.ZERO, Duration.ofMillis(-1))) {
            assertThat(refused(() -> Request.builder().timeout(wrong))).contains("timeout must be positive");
        }
    }

    private static String refused(Runnable call) {
        try {
            call.run();
        } catch (IllegalStateException | IllegalArgumentException e) {
            return String.valueOf(e.getMessage());
        }
        return "accepted";
    }
}
