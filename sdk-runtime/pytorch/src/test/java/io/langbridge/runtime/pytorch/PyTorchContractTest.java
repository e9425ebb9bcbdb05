package io.langbridge.runtime.pytorch;

import ai.djl.pytorch.jni.IValue;
import io.langbridge.contract.RuntimeContract;
import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.generate.Sampler;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.Set;

class PyTorchContractTest extends RuntimeContract {
    @Override
    protected Engine engine() {
        Tiny.requireNatives();
        return new PyTorchEngine();
    }

    @Override
    protected float[] process(float[] scores, Set<Integer> seen, Sampler.Settings settings) {
        int[] ids = seen.stream().mapToInt(Integer::intValue).toArray();
        TorchNet decoder = TorchNet.of(Tiny.decoder(false, false, 0, false).network());
        try (TorchScript script = new TorchScript("decoder", decoder.source(), 1);
                Scope scope = new Scope()) {
            IValue processed = scope.own(script.run(
                    "process",
                    scope.of(scope.tensor(FloatTensor.of(scores, scores.length))),
                    scope.of(settings.temperature()),
                    scope.of(settings.topK()),
                    scope.of(settings.topP()),
                    scope.of(settings.minP()),
                    scope.of(settings.repetitionPenalty()),
                    scope.of(scope.tensor(ids))));
            return scope.tensor(processed).toFloatArray();
        }
    }
}
