package io.langbridge.hub;

import io.langbridge.FitReport;
import io.langbridge.LangBridgeAdapter;
import io.langbridge.Llm;
import io.langbridge.VisionLanguageModel;
import io.langbridge.spi.ModelLoader;
import io.langbridge.spi.ModelSpec;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A runtime that only says what lies in the folder it is asked to check: names, lengths, and the first bytes. */
public final class FolderReader implements ModelLoader {
    private static final int SHOWN = 16;

    @Override
    public FitReport check(ModelSpec spec) {
        Path folder = Objects.requireNonNull(spec.folder());
        List<FitReport.Finding> findings = new ArrayList<>();
        try {
            for (Path file : Folders.files(folder)) {
                try (InputStream in = Files.newInputStream(file)) {
                    findings.add(new FitReport.Finding(
                            FitReport.Verdict.FITS,
                            file.getFileName().toString(),
                            file + " " + Files.size(file) + " "
                                    + java.util.HexFormat.of().formatHex(in.readNBytes(SHOWN))));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new FitReport(findings, null, List.of(), List.of(new FitReport.Memory("all", 1000, false)), 500, 2000L);
    }

    @Override
    public VisionLanguageModel load(ModelSpec spec) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void save(LangBridgeAdapter adapter, @Nullable Llm trainedWith, Path folder) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void fold(LangBridgeAdapter adapter, Llm llm, boolean standard, Path folder) {
        throw new UnsupportedOperationException();
    }
}
