package io.langbridge.contract;

import static java.util.Comparator.comparing;
import static org.assertj.core.api.Assertions.assertThat;

import io.langbridge.VisionLanguageModel;
import io.langbridge.hub.Hub;
import io.langbridge.records.Records;
import io.langbridge.testing.FakeModel;
import io.langbridge.tools.SharedVocabularies;
import java.io.IOException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReader;
import java.lang.module.ModuleReference;
import java.lang.reflect.AnnotatedType;
import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.lang.reflect.Member;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.TypeVariable;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * What users can write against stands in a file beside each module, so that no change of it goes unnoticed. After one
 * that is meant, {@code ./mvnw test -pl sdk-runtime/contract -am -Dtest=ApiListingTest -Dlangbridge.api.write
 * -Dsurefire.failIfNoSpecifiedTests=false} writes the files anew; their difference belongs to the change.
 */
class ApiListingTest {
    /** A class of each module, by the file. */
    private static final Map<String, Class<?>> MODULES = Map.of(
            "sdk-api/src/test/resources/api.txt", VisionLanguageModel.class,
            "sdk-runtime/hub/src/test/resources/api.txt", Hub.class,
            "sdk-runtime/testing/src/test/resources/api.txt", FakeModel.class,
            "sdk-runtime/records/src/test/resources/api.txt", Records.class,
            "sdk-runtime/tools/src/test/resources/api.txt", SharedVocabularies.class);

    @Test
    void thePublicApiIsTheOneThatIsWrittenDown() throws Exception {
        Path root = Path.of(System.getProperty("langbridge.root", ""));
        for (Map.Entry<String, Class<?>> module : MODULES.entrySet()) {
            Path file = root.resolve(module.getKey());
            List<String> listing = listing(module.getValue());
            if (System.getProperty("langbridge.api.write") != null) {
                Files.createDirectories(file.getParent());
                Files.write(file, listing);
            }
            List<String> written = Files.readAllLines(file);
            List<String> gone = inTheirTypes(written);
            gone.removeAll(inTheirTypes(listing));
            List<String> added = inTheirTypes(listing);
            added.removeAll(inTheirTypes(written));
            assertThat(listing)
                    .withFailMessage(
                            "%s is not the public API any more. Gone: %s%nAdded: %s%nIf that is meant,"
                                    + " -Dlangbridge.api.write writes the file anew, as %s says",
                            file, gone, added, getClass().getSimpleName())
                    .isEqualTo(written);
        }
    }

    /** Each member after its type. */
    private static List<String> inTheirTypes(List<String> listing) {
        List<String> result = new ArrayList<>();
        String type = "";
        for (String line : listing) {
            type = line.startsWith(" ") ? type : line;
            result.add(line.startsWith(" ") ? type + line : line);
        }
        return result;
    }

    private static List<String> listing(Class<?> one) throws IOException, URISyntaxException, ClassNotFoundException {
        Path place =
                Path.of(one.getProtectionDomain().getCodeSource().getLocation().toURI());
        ModuleReference module = ModuleFinder.of(place).findAll().iterator().next();
        Set<String> exported = module.descriptor().exports().stream()
                .filter(exports -> !exports.isQualified())
                .map(ModuleDescriptor.Exports::source)
                .collect(Collectors.toSet());
        List<Class<?>> types = new ArrayList<>();
        try (ModuleReader reader = module.open();
                Stream<String> files = reader.list()) {
            for (String file : files.filter(f -> f.endsWith(".class")).toList()) {
                String name =
                        file.substring(0, file.length() - ".class".length()).replace('/', '.');
                if (exported.contains(name.substring(0, Math.max(0, name.lastIndexOf('.'))))) {
                    types.add(Class.forName(name, false, one.getClassLoader()));
                }
            }
        }
        List<String> lines = new ArrayList<>();
        types.stream()
                .filter(ApiListingTest::isSeen)
                .sorted(comparing(Class::getName))
                .forEach(type -> add(type, lines));
        return lines;
    }

    private static boolean isSeen(Class<?> type) {
        Class<?> outer = type.getDeclaringClass();
        return isSeen(type.getModifiers()) && !type.isAnonymousClass() && (outer == null || isSeen(outer));
    }

    private static boolean isSeen(int modifiers) {
        return (modifiers & (Modifier.PUBLIC | Modifier.PROTECTED)) != 0;
    }

    private static void add(Class<?> type, List<String> lines) {
        lines.add(head(type) + " {");
        Set<String> members = new TreeSet<>();
        for (Executable call : type.getDeclaredConstructors()) {
            addIfSeen(call, type.getSimpleName() + parameters(call), members);
        }
        for (Method call : type.getDeclaredMethods()) {
            if (!call.isBridge()) {
                String kind = call.isDefault() ? "default " : "";
                addIfSeen(
                        call,
                        kind + variables(call.getTypeParameters()) + text(call.getAnnotatedReturnType()) + " "
                                + call.getName() + parameters(call),
                        members);
            }
        }
        for (Field field : type.getDeclaredFields()) {
            addIfSeen(field, text(field.getAnnotatedType()) + " " + field.getName(), members);
        }
        members.forEach(member -> lines.add("  " + member));
        lines.add("}");
    }

    private static void addIfSeen(Member member, String text, Set<String> members) {
        int shown = Modifier.PUBLIC | Modifier.PROTECTED | Modifier.STATIC | Modifier.ABSTRACT | Modifier.FINAL;
        if (isSeen(member.getModifiers()) && !member.isSynthetic()) {
            members.add(Modifier.toString(member.getModifiers() & shown) + " " + text);
        }
    }

    private static String head(Class<?> type) {
        StringBuilder head = new StringBuilder();
        int shown = Modifier.PUBLIC | Modifier.PROTECTED | Modifier.STATIC | Modifier.ABSTRACT | Modifier.FINAL;
        head.append(Modifier.toString(type.getModifiers() & shown)).append(' ');
        head.append(type.isSealed() ? "sealed " : "");
        head.append(
                type.isInterface() ? "interface " : type.isEnum() ? "enum " : type.isRecord() ? "record " : "class ");
        head.append(type.getName()).append(variables(type.getTypeParameters()));
        if (type.isRecord()) {
            head.append(Arrays.stream(type.getRecordComponents())
                    .map(part -> text(part.getAnnotatedType()) + " " + part.getName())
                    .collect(Collectors.joining(", ", "(", ")")));
        }
        if (type.getSuperclass() != null && type.getSuperclass() != Object.class && !type.isRecord()) {
            head.append(" extends ").append(text(type.getAnnotatedSuperclass()));
        }
        if (type.getInterfaces().length > 0) {
            head.append(type.isInterface() ? " extends " : " implements ").append(texts(type.getAnnotatedInterfaces()));
        }
        return head.toString();
    }

    private static String parameters(Executable call) {
        String parameters = texts(call.getAnnotatedParameterTypes());
        if (call.isVarArgs()) {
            parameters = parameters.substring(0, parameters.length() - "[]".length()) + "...";
        }
        String thrown =
                call.getExceptionTypes().length == 0 ? "" : " throws " + texts(call.getAnnotatedExceptionTypes());
        return "(" + parameters + ")" + thrown;
    }

    private static String variables(TypeVariable<?>[] variables) {
        return variables.length == 0
                ? ""
                : Arrays.stream(variables)
                        .map(variable -> variable.getName() + " extends " + texts(variable.getAnnotatedBounds()))
                        .collect(Collectors.joining(", ", "<", "> "));
    }

    private static String texts(AnnotatedType[] types) {
        return Arrays.stream(types).map(ApiListingTest::text).collect(Collectors.joining(", "));
    }

    /** JDKs write an annotation without elements with brackets or without. */
    private static String text(AnnotatedType type) {
        return type.toString()
                .replaceAll("@org\\.jspecify\\.annotations\\.(\\w+)(\\(\\))?", "@$1")
                .replace("java.lang.", "");
    }
}
