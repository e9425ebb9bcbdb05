package io.langbridge.contract;

import com.google.gson.JsonElement;
import io.langbridge.Precision;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.lifecycle.Closing;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One case while it is checked: what it states, what differs, what is left out. Differences are collected, so that a
 * report shows all of them. At the end, a tensor that nothing looked at is a difference too, and a key is reported.
 */
final class Check implements AutoCloseable {
    /**
     * How far a single result may stray from what is to be expected, in networks of few channels. Half of a case's
     * results must be within {@link #MEDIAN_SPREAD}.
     */
    private static final double SPREAD = 4;

    private static final double MEDIAN_SPREAD = 1.5;
    /** Nothing but zeros has an error of 1, so no bound may reach it. */
    private static final double LARGEST_BOUND = 0.9;

    /** Where more than the rest is lost by plain rounding, any result may be. */
    private static final double LOST_SHARE = 0.9;

    private static final Pattern NUMBER = Pattern.compile("\\d+(\\.\\d+)?([eE]-?\\d+)?");

    private final Engine engine;
    private final EngineOptions options;
    private final Fixtures fixtures;
    private final Fixtures.Case found;
    private final Entry json;
    private final @Nullable Weights tensors;
    private final Set<String> unreadTensors = new TreeSet<>();
    private final Closing opened = new Closing();
    private final List<String> differences = new ArrayList<>();
    private final List<String> leftOut = new ArrayList<>();
    /** Of all comparisons with a quantised network, by what was compared. */
    private final Map<String, Double> errors = new LinkedHashMap<>();

    private final @Nullable Map<String, Double> plainErrors;

    private int comparisons;
    private double largestShare;
    private String largest = "";

    /** A case in full precision. */
    Check(Engine engine, EngineOptions options, Fixtures fixtures, Fixtures.Case found) {
        this(engine, options, fixtures, found, Collections.emptyMap());
    }

    /**
     * Begins a case.
     *
     * @param plainErrors what {@link #errors} of this case are with {@link PlainRounding}; null where the engine is
     *     that
     */
    Check(
            Engine engine,
            EngineOptions options,
            Fixtures fixtures,
            Fixtures.Case found,
            @Nullable Map<String, Double> plainErrors) {
        this.engine = engine;
        this.plainErrors = plainErrors;
        this.options = options;
        this.fixtures = fixtures;
        this.found = found;
        this.json = Entry.read(found.file());
        json.describe("name", "what", "checks", "versions", "tolerance", "outputs", "layout");
        String file = json.has("tensor_file") ? json.text("tensor_file") : "tensors.safetensors";
        Path path = folder().resolve(file);
        boolean listed = json.has("tensor_file") || json.has("tensors");
        this.tensors = listed || Files.exists(path) ? closing(Checkpoints.open(path)) : null;
        if (tensors != null) {
            unreadTensors.addAll(tensors.names());
        }
        if (json.has("tensors")) {
            Entry listing = json.object("tensors");
            listing.describeAll();
            if (!listing.keys().equals(tensorNames())) {
                differences.add("The names in " + file + " are " + tensorNames() + ", not " + listing.keys());
            }
        }
    }

    Engine engine() {
        return engine;
    }

    EngineOptions options() {
        return options;
    }

    Fixtures fixtures() {
        return fixtures;
    }

    Fixtures.Case found() {
        return found;
    }

    /** Folder of the case; paths in it are relative to this. */
    Path folder() {
        return Objects.requireNonNull(found.file().getParent());
    }

    Entry json() {
        return json;
    }

    /** Closes {@code resource} at the end of the case, the last one first. */
    <T extends AutoCloseable> T closing(T resource) {
        return opened.add(resource);
    }

    // What the case states.

    Set<String> tensorNames() {
        return tensors == null ? Collections.emptySet() : tensors.names();
    }

    boolean hasTensor(String name) {
        return tensors != null && tensors.contains(name);
    }

    StoredTensor stored(String name) {
        if (tensors == null) {
            throw new AssertionError("There is no file of tensors");
        }
        unreadTensors.remove(name);
        return tensors.get(name);
    }

    FloatTensor tensor(String name) {
        StoredTensor stored = stored(name);
        int[] shape = Arrays.stream(stored.shape()).mapToInt(Math::toIntExact).toArray();
        return FloatTensor.of(stored.toFloats(), shape);
    }

    float[] floats(String name) {
        return stored(name).toFloats();
    }

    /** Token ids; small enough to be exact as float. */
    int[] ids(String name) {
        float[] values = floats(name);
        int[] ids = new int[values.length];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = Math.round(values[i]);
        }
        return ids;
    }

    /** Whether weights are quantised, so that results agree only roughly. */
    boolean quantized() {
        return options.precision() != Precision.FULL;
    }

    /** Whether this run only measures what plain rounding costs; whole models are not run then. */
    boolean measuresPlainRounding() {
        return quantized() && plainErrors == null;
    }

    /** The relative errors of a quantised network, by what was compared. */
    Map<String, Double> errors() {
        return errors;
    }

    /**
     * The largest relative error that a result of a quantised network may have: {@link #SPREAD} times what is to be
     * expected from plain rounding of the same result, or of half of the case's where that is larger: a single error of
     * plain rounding may be small by chance, and what only a whole model has is not measured by itself. Where that
     * alone leaves little of a result, or of a tenth of all, as in a recurrent network of random weights, a bound would
     * be met by chance: there the result counts in the median alone.
     */
    private double bound(String what) {
        if (plainErrors == null) {
            return Double.MAX_VALUE;
        }
        double plain = Math.max(plainErrors.getOrDefault(what, 0.0), share(plainErrors, LOST_SHARE));
        return expected(plain) > LARGEST_BOUND / 2 ? Double.MAX_VALUE : Math.min(LARGEST_BOUND, noise(what));
    }

    private double noise(String what) {
        return SPREAD * expected(Math.max(plain(what), median(Objects.requireNonNull(plainErrors))));
    }

    /**
     * The error of plain rounding; of a step the larger of its own and the one before it, for what a sequence keeps
     * goes on from token to token with its error.
     */
    private double plain(String what) {
        double before = 0;
        for (Map.Entry<String, Double> each :
                Objects.requireNonNull(plainErrors).entrySet()) {
            if (each.getKey().equals(what)) {
                return what.contains(DecoderCases.STEP) ? Math.max(before, each.getValue()) : each.getValue();
            }
            before = each.getValue();
        }
        return 0;
    }

    /**
     * The error to be expected where plain rounding of the weights alone has this one. What flows between layers is
     * rounded to 8 bits too: beside weights of 8 bits that is a second error of the same size, independent of the
     * first, and beside weights of 4 bits it is nothing.
     */
    private double expected(double plain) {
        return options.precision() == Precision.INT8 ? Math.sqrt(2) * plain : plain;
    }

    private static double median(Map<String, Double> errors) {
        return share(errors, 0.5);
    }

    /** The error that so many of them are below. */
    private static double share(Map<String, Double> errors, double share) {
        return errors.values().stream().sorted().toList().get((int) (errors.size() * share));
    }

    /** The limit the case states for a tensor: the one for its name or a pattern of it, or else the default. */
    double tolerance(String name) {
        JsonElement tolerance = json.get("tolerance");
        if (!tolerance.isJsonObject()) {
            return number(tolerance.getAsString());
        }
        for (Map.Entry<String, JsonElement> entry : tolerance.getAsJsonObject().entrySet()) {
            String pattern = ".*\\b" + entry.getKey().replace(".", "\\.").replace("*", ".*");
            if (name.matches(pattern)) {
                return number(entry.getValue().getAsString());
            }
        }
        return tolerance.getAsJsonObject().get("default").getAsDouble();
    }

    /** "values 1e-6 relative" is 1e-6, "exact" is 0. */
    private static double number(String text) {
        Matcher matcher = NUMBER.matcher(text);
        return matcher.find() ? Double.parseDouble(matcher.group()) : 0;
    }

    // What is compared.

    void same(String what, @Nullable Object actual, @Nullable Object expected) {
        comparisons++;
        if (!Objects.equals(actual, expected)) {
            differences.add(what + " is " + actual + ", but should be " + expected);
        }
    }

    void same(String what, int[] actual, int[] expected) {
        same(what, Arrays.toString(actual), Arrays.toString(expected));
    }

    /** Bit by bit. */
    void same(String what, float[] actual, float[] expected) {
        comparisons++;
        int at = Arrays.mismatch(actual, expected);
        if (at >= 0) {
            differences.add(what + " differs at " + at + " of " + expected.length + ": "
                    + (at < actual.length ? actual[at] : "missing") + " instead of "
                    + (at < expected.length ? expected[at] : "nothing"));
        }
    }

    void holds(String what, boolean condition) {
        comparisons++;
        if (!condition) {
            differences.add(what);
        }
    }

    /** Compares with the tensor of this name, within its tolerance. */
    void close(String name, FloatTensor actual) {
        FloatTensor expected = tensor(name);
        same("shape of " + name, Arrays.toString(actual.shape()), Arrays.toString(expected.shape()));
        close(name, actual.toArray(), expected.toArray(), tolerance(name));
    }

    /** The same where the case has such a tensor. */
    void closeIfGiven(String name, FloatTensor actual) {
        if (hasTensor(name)) {
            close(name, actual);
        }
    }

    /** The relative error in the 2-norm. */
    void close(String what, float[] actual, float[] expected, double stated) {
        double tolerance = stated;
        comparisons++;
        if (actual.length != expected.length) {
            differences.add(what + " has " + actual.length + " values, not " + expected.length);
            return;
        }
        double error = relativeError(actual, expected);
        if (quantized()) {
            errors.put(what, error);
            tolerance = Math.max(tolerance, bound(what));
        }
        double share = tolerance == 0 ? 0 : error / tolerance;
        if (share > largestShare) {
            largestShare = share;
            largest = String.format(Locale.ROOT, "%.1e of %.0e, %s in %s", error, tolerance, what, found.name());
        }
        if (!(error <= tolerance)) {
            differences.add(what + " has a relative error of " + error + ", more than " + tolerance);
        }
    }

    /** The likeliest token is the same wherever the gap to the next one is larger than the bound of the error. */
    void sameChoice(String what, float[] actual, float[] full) {
        close(what, actual, full, 0);
        int best = DecoderCases.argmax(FloatBuffer.wrap(full));
        float second = Float.NEGATIVE_INFINITY;
        double squares = 0;
        for (int i = 0; i < full.length; i++) {
            squares += (double) full[i] * full[i];
            second = i == best ? second : Math.max(second, full[i]);
        }
        if (plainErrors != null && full[best] - second > noise(what) * Math.sqrt(squares / full.length)) {
            same("choice at " + what, DecoderCases.argmax(FloatBuffer.wrap(actual)), best);
        }
    }

    static double relativeError(float[] actual, float[] expected) {
        double difference = 0;
        double norm = 0;
        for (int i = 0; i < expected.length; i++) {
            double d = (double) actual[i] - expected[i];
            difference += d * d;
            norm += (double) expected[i] * expected[i];
        }
        return difference == 0 ? 0 : Math.sqrt(difference / norm);
    }

    /** The same entries removed (minus infinity, or zero), all others close one by one. */
    void sameKept(String what, float[] actual, float[] expected, double tolerance) {
        comparisons++;
        for (int i = 0; i < Math.max(actual.length, expected.length); i++) {
            if (i >= Math.min(actual.length, expected.length)
                    || actual[i] != expected[i]
                            && !(Math.abs((double) actual[i] - expected[i]) <= tolerance * Math.abs(expected[i]))) {
                differences.add(what + " differs at " + i + " of " + expected.length + ": "
                        + (i < actual.length ? actual[i] : "missing") + " instead of "
                        + (i < expected.length ? expected[i] : "nothing"));
                return;
            }
        }
    }

    /** Leaves all of the case out, saying why, if what it opens is not read yet. */
    boolean isRead(Supplier<? extends AutoCloseable> opening) {
        try {
            Closing.all(List.of(opening.get()));
            return true;
        } catch (UnsupportedModelException e) {
            leaveOut("not supported yet: " + e.getMessage());
            json().describeAll();
            tensorNames().forEach(this::describeTensor);
            return false;
        }
    }

    /** Notes what cannot be checked here and why; it is printed. */
    void leaveOut(String what) {
        leftOut.add(found.name() + ": " + what);
    }

    /** A tensor that only explains how another one came about. */
    void describeTensor(String name) {
        unreadTensors.remove(name);
    }

    // What came out.

    boolean allLeftOut() {
        return comparisons == 0 && !leftOut.isEmpty();
    }

    /** What was not checked, keys of the JSON included that nothing asked for. */
    List<String> leftOut() {
        List<String> all = new ArrayList<>(leftOut);
        List<String> unread = new ArrayList<>();
        json.addUnread(unread);
        unread.forEach(key -> all.add(found.name() + ": nothing knows how to check " + key));
        return all;
    }

    double largestShare() {
        return largestShare;
    }

    /** The largest error as a share of its tolerance, in words. */
    String largest() {
        return largest;
    }

    /** All differences, those included that nobody looked for. */
    List<String> differences() {
        List<String> all = new ArrayList<>(differences);
        unreadTensors.forEach(name -> all.add("Nothing knows how to check the tensor " + name));
        if (plainErrors != null && !errors.isEmpty()) {
            double median = median(errors);
            double limit = Math.min(LARGEST_BOUND, MEDIAN_SPREAD * expected(median(plainErrors)));
            if (!(median <= limit)) {
                all.add("The median of the relative errors is " + median + ", more than " + limit);
            }
        }
        if (comparisons == 0 && leftOut.isEmpty()) {
            all.add("Nothing was compared");
        }
        return all;
    }

    @Override
    public void close() {
        Closing.all(opened.opened());
    }
}
