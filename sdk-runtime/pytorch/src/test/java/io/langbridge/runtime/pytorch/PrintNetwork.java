package io.langbridge.runtime.pytorch;

import io.langbridge.runtime.core.family.ModelFolder;
import io.langbridge.runtime.core.network.Activation;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.network.Gemma4Vit;
import io.langbridge.runtime.core.network.GridVit;
import io.langbridge.runtime.core.network.GridVitConfig;
import io.langbridge.runtime.core.network.Network;
import io.langbridge.runtime.core.network.Projector;
import io.langbridge.runtime.core.network.VisionConfig.Kind;
import io.langbridge.runtime.core.network.Vit;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Prints the TorchScript that a model's networks become. The weights are not read, only what there is of them.
 *
 * <pre>{@code
 * cp=$PWD/sdk-runtime/pytorch/target/classpath
 * ./mvnw -q -pl sdk-runtime/pytorch -am -DskipTests test-compile dependency:build-classpath -Dmdep.outputFile=$cp
 * java -cp sdk-runtime/pytorch/target/classes:sdk-runtime/pytorch/target/test-classes:$(cat $cp) \
 *     io.langbridge.runtime.pytorch.PrintNetwork MODEL_FOLDER
 * }</pre>
 *
 * <p>With {@code --golden sdk-runtime/pytorch/src/test/resources/io/langbridge/runtime/pytorch} in place of the folder
 * it writes the texts anew that {@link TorchNetTest} compares.
 */
final class PrintNetwork {
    private PrintNetwork() {}

    public static void main(String[] arguments) throws IOException {
        if (arguments[0].equals("--golden")) {
            for (Map.Entry<String, Network> tiny : golden().entrySet()) {
                Files.writeString(Path.of(arguments[1], tiny.getKey()), text(tiny.getValue()));
            }
            return;
        }
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        try (ModelFolder model = ModelFolder.open(Path.of(arguments[0]))) {
            out.println(text(model.vision().network()));
            AdapterConfig adapter = model.adapter().config();
            out.println(text(Projector.network(adapter, model.llm().config().hiddenSize())));
            out.println(text(model.llm().config().network()));
        }
    }

    /** One tiny network of each family. */
    static Map<String, Network> golden() {
        Map<String, Network> golden = new LinkedHashMap<>();
        golden.put("clip.py", Vit.network(Tiny.vision(Kind.CLIP, Activation.QUICK_GELU), true));
        golden.put("siglip.py", Vit.network(Tiny.vision(Kind.SIGLIP, Activation.GELU_TANH), true));
        golden.put("qwen3.py", Tiny.decoder(false, true, 4, true).network());
        golden.put("llama.py", Tiny.decoder(true, false, 0, false).network());
        golden.put("qwen3_5.py", Tiny.qwen35().network());
        golden.put(
                "qwen3-vl.py", Tiny.decoder(false, true, 0, true).deepstack(1).network());
        golden.put("qwen2-vl-tower.py", GridVit.network(Tiny.grid(false, 0, 0, List.of())));
        golden.put("qwen2.5-vl-tower.py", GridVit.network(Tiny.grid(true, 0, 2, List.of())));
        GridVitConfig deep = Tiny.grid(false, 3, 0, List.of(0));
        golden.put("qwen3-vl-tower.py", GridVit.network(deep));
        GridVit.Merger merger = new GridVit.Merger("merger.norm", "merger.linear_fc1", "merger.linear_fc2");
        golden.put("qwen3-vl-merger.py", Projector.network(GridVit.connector(deep, merger, 24), 24));
        golden.put("gemma.py", Tiny.gemma().network());
        golden.put("gemma4.py", Tiny.gemma4().network());
        golden.put(
                "gemma4-tower.py",
                Gemma4Vit.network(Tiny.gemma4Tower(), bound -> bound.endsWith("min") ? -3 : Float.POSITIVE_INFINITY));
        golden.put("gemma4-connector.py", Projector.network(Gemma4Vit.connector(Tiny.gemma4Tower(), 24), 24));
        golden.put("langbridge.py", Projector.network(new AdapterConfig.LangBridge(16, 7, 9, false), 24));
        golden.put("langbridge-softmax.py", Projector.network(new AdapterConfig.LangBridge(16, 7, 9, true), 24));
        golden.put("mlp.py", Projector.network(new AdapterConfig.Mlp(16, 24, 2, true), 24));
        return golden;
    }

    /** The method, below what its weights are. */
    static String text(Network network) {
        TorchNet net = TorchNet.of(network);
        StringBuilder text = new StringBuilder("# " + network.name() + "\n");
        List<Slot> slots = net.slots();
        for (int i = 0; i < slots.size(); i++) {
            Slot slot = slots.get(i);
            text.append("# w[").append(i).append("]:");
            for (int k = 0; k < slot.tensors().size(); k++) {
                int repeats = slot.repeats().get(k);
                text.append(k == 0 ? " " : " | ").append(repeats == 0 ? "" : repeats + " x ");
                text.append(slot.tensors().get(k));
            }
            text.append(slot.access() == Slot.Access.WHOLE ? "" : " (" + slot.access() + ")")
                    .append('\n');
        }
        return text.append(net.text()).toString();
    }
}
