package io.langbridge.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.langbridge.ModelListener;
import io.langbridge.VisionLanguageModel;
import io.langbridge.testing.FakeModel;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;

/** The model for users' unit tests does as a real one. */
class FakeModelPromisesTest extends ModelPromises {
    private final List<FakeModel> models = new ArrayList<>();

    @Override
    VisionLanguageModel open(ModelListener... listeners) {
        FakeModel.Builder builder = FakeModel.builder().otherwise("word ".repeat(100));
        for (ModelListener listener : listeners) {
            builder.listener(listener);
        }
        FakeModel model = builder.build();
        models.add(model);
        return model;
    }

    @AfterEach
    void nothingIsLeft() {
        for (FakeModel model : models) {
            assertThat(model.openStreams()).isZero();
        }
        closeAll();
    }
}
