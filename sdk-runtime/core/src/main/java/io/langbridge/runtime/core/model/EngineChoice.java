package io.langbridge.runtime.core.model;

import io.langbridge.Device;
import io.langbridge.EngineName;
import io.langbridge.RuntimeUnavailableException;
import io.langbridge.runtime.core.checkpoint.CacheDirectory;
import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.spi.ModelSpec;
import io.langbridge.spi.Services;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which engine computes what, and where. What was asked for is done or is an error; only what was left open is chosen,
 * and the log says what and why.
 *
 * @param engine runs encoder and adapter
 * @param decoder runs the decoder; another one only where {@code engine} cannot on this device
 * @param device not {@link Device#AUTO}
 */
public record EngineChoice(Engine engine, Engine decoder, Device device) {
    private static final Logger LOG = LoggerFactory.getLogger(EngineChoice.class);
    private static final int MOST_THREADS = 8;
    /** For its speed on the CPU. */
    private static final Comparator<Engine> ONNX_FIRST =
            Comparator.comparing(engine -> !engine.name().equals("onnx"));

    private static final String ARTEFACTS = "the engines are io.langbridge:langbridge-onnx (onnx: CPU) and"
            + " io.langbridge:langbridge-pytorch (pytorch: CPU and CUDA), version as in io.langbridge:langbridge-bom";

    /** All engines that are found as services. */
    public static List<Engine> onThePath() {
        return Services.all(Engine.class, loader -> ServiceLoader.load(Engine.class, loader));
    }

    /** Computing threads: those asked for, or all processors, at most 8. */
    static int threads(@Nullable Integer wanted) {
        return wanted != null
                ? wanted
                : Math.min(MOST_THREADS, Runtime.getRuntime().availableProcessors());
    }

    /**
     * How a tool that loads no model runs the engine: in full precision, with a cache that stays.
     *
     * @param wantedThreads see {@link #threads}
     * @param cacheDirectory null for the user's cache folder
     */
    public EngineOptions defaults(@Nullable Integer wantedThreads, @Nullable Path cacheDirectory) {
        return new EngineOptions(
                threads(wantedThreads),
                false,
                cacheDirectory != null ? cacheDirectory : CacheDirectory.ofUser(),
                device);
    }

    /**
     * Chooses.
     *
     * @param engines those on the path
     * @param name the engine asked for, or null for any
     * @param device the device asked for
     * @throws RuntimeUnavailableException if no engine can do what was asked for; says why not, engine by engine
     */
    public static EngineChoice of(
            List<Engine> engines, @Nullable EngineName name, Device device, boolean allowDownloads) {
        return of(engines, name, device, allowDownloads, false);
    }

    /** What {@link #of} would choose on the CPU; loads no library. Null if there is nothing to choose from. */
    static @Nullable EngineChoice presumed(List<Engine> engines, ModelSpec spec) {
        EngineName name = spec.engine();
        List<Engine> inOrder = new ArrayList<>(engines);
        inOrder.removeIf(engine -> name == null
                ? spec.quantises() && !engine.quantises()
                : !engine.name().equals(name.name()));
        inOrder.sort(ONNX_FIRST);
        return inOrder.isEmpty() ? null : new EngineChoice(inOrder.get(0), inOrder.get(0), Device.CPU);
    }

    /** Chooses as {@link #of(List, EngineName, Device, boolean)} does; {@code quantised}: not all in full precision. */
    static EngineChoice of(
            List<Engine> onThePath,
            @Nullable EngineName name,
            Device device,
            boolean allowDownloads,
            boolean quantised) {
        if (onThePath.isEmpty()) {
            throw new RuntimeUnavailableException(
                    "No engine is on the path; " + ARTEFACTS + unmerged("onnx", "pytorch"));
        }
        List<Engine> engines = new ArrayList<>(onThePath);
        if (quantised && name == null) {
            engines.removeIf(engine -> !engine.quantises());
            if (engines.isEmpty()) {
                throw new RuntimeUnavailableException("No engine on the path computes in a precision other than FULL;"
                        + " io.langbridge:langbridge-onnx does, on the CPU");
            }
        }
        Engine named = name == null ? null : named(engines, name);
        List<Engine> candidates = named == null ? engines : Collections.singletonList(named);
        if (device.kind() != Device.Kind.AUTO) {
            EngineChoice choice = on(device, named, engines, allowDownloads);
            choice.log(name == null ? "the device was asked for" : "asked for");
            return choice;
        }
        String whyNotCuda = "No engine for CUDA is on the path";
        for (Engine engine : candidates) {
            if (engine.decodesOn(Device.Kind.CUDA)) {
                try {
                    engine.require(Device.cuda(0), allowDownloads);
                    EngineChoice choice = new EngineChoice(engine, engine, Device.cuda(0));
                    choice.log("the first CUDA device");
                    return choice;
                } catch (RuntimeUnavailableException e) {
                    whyNotCuda = String.valueOf(e.getMessage());
                }
            }
        }
        EngineChoice choice = on(Device.CPU, named, engines, allowDownloads);
        choice.log(quantised ? "the precision asked for" : "no engine here can use CUDA");
        LOG.debug("{}", whyNotCuda);
        return choice;
    }

    private static Engine named(List<Engine> engines, EngineName name) {
        for (Engine engine : engines) {
            if (engine.name().equals(name.name())) {
                return engine;
            }
        }
        String found = engines.stream().map(Engine::name).collect(Collectors.joining(", "));
        throw new RuntimeUnavailableException("The engine '" + name + "' was asked for, but on the path there is only "
                + found + "; " + ARTEFACTS + unmerged(name.name()));
    }

    /** Says so where an engine is there but not listed as a service. */
    private static String unmerged(String... names) {
        List<String> classes = new ArrayList<>();
        for (String name : names) {
            if (name.equals("onnx")) {
                classes.add("io.langbridge.runtime.onnx.OnnxEngine");
            } else if (name.equals("pytorch")) {
                classes.add("io.langbridge.runtime.pytorch.PyTorchEngine");
            }
        }
        return "." + Services.unmerged(Engine.class, classes.toArray(new String[0]));
    }

    /** On this device or not at all. */
    private static EngineChoice on(
            Device device, @Nullable Engine named, List<Engine> engines, boolean allowDownloads) {
        if (named != null && !named.decodesOn(device.kind())) {
            named.require(device, allowDownloads);
            return new EngineChoice(named, decoder(device, named.name(), engines, allowDownloads), device);
        }
        Engine engine = named == null ? decoder(device, null, engines, allowDownloads) : named;
        engine.require(device, allowDownloads);
        return new EngineChoice(engine, engine, device);
    }

    /** The first engine that can run a whole model there. */
    private static Engine decoder(
            Device device, @Nullable String incapable, List<Engine> engines, boolean allowDownloads) {
        List<Engine> inOrder = new ArrayList<>(engines);
        inOrder.sort(ONNX_FIRST);
        List<RuntimeUnavailableException> reasons = new ArrayList<>();
        for (Engine engine : inOrder) {
            if (engine.decodesOn(device.kind())) {
                try {
                    engine.require(device, allowDownloads);
                    return engine;
                } catch (RuntimeUnavailableException e) {
                    reasons.add(e);
                }
            }
        }
        String what = incapable == null ? "" : "The engine '" + incapable + "' has no decoder for " + device + ". ";
        if (reasons.isEmpty()) {
            throw new RuntimeUnavailableException(
                    what + "No engine that computes on " + device + " is on the path; " + ARTEFACTS);
        }
        RuntimeUnavailableException first = reasons.get(0);
        if (what.isEmpty() && reasons.size() == 1) {
            throw first;
        }
        String all = reasons.stream().map(Throwable::getMessage).collect(Collectors.joining(" "));
        RuntimeUnavailableException failure = new RuntimeUnavailableException(what + all, first);
        reasons.subList(1, reasons.size()).forEach(failure::addSuppressed);
        throw failure;
    }

    /** How networks are to run, with converted weights in a given folder. */
    EngineOptions options(ModelSpec spec, Path cacheDirectory) {
        return new EngineOptions(
                threads(spec.threads()),
                spec.spinning(),
                cacheDirectory,
                device,
                spec.allowDownloads(),
                spec.precision(),
                spec.prefillChunk() != null ? spec.prefillChunk() : EngineOptions.PREFILL_CHUNK,
                spec.halfKvCache(),
                spec.affinity(),
                spec.twoForms(),
                spec.cacheLimit());
    }

    /** Where converted weights are kept, if they are. */
    static Path cacheDirectory(ModelSpec spec) {
        return spec.cacheDirectory() != null ? spec.cacheDirectory() : CacheDirectory.ofUser();
    }

    private void log(String why) {
        if (engine == decoder) {
            LOG.info("Using engine {} on {}: {}", engine.name(), device, why);
        } else {
            LOG.info(
                    "Using engine {} on {} and {} for the decoder, which {} does not run there: {}",
                    engine.name(),
                    device,
                    decoder.name(),
                    engine.name(),
                    why);
        }
    }
}
