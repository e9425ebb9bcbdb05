package io.langbridge.runtime.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.langbridge.Message;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LlavaDatasetTest {
    private static final String TURNS =
            "\"conversations\": [{\"from\": \"human\", \"value\": \"What?\\n<image>\"}, {\"from\": \"gpt\", \"value\": \"A \\\"{\\\" bus\"}]";

    @TempDir
    private Path folder;

    private LlavaDataset open(String text) throws IOException {
        return LlavaDataset.of(Files.writeString(folder.resolve("data.json"), text), folder.resolve("images"));
    }

    @Test
    void recordsAreConversationsWithThePictureInFront() throws IOException {
        LlavaDataset data =
                open("[{\"id\": \"7\", \"image\": \"a/b.jpg\", " + TURNS + "},\n {\"id\": 8, " + TURNS + "}]");
        assertThat(data).hasSize(2);
        TrainingExample example = data.get(0);
        assertThat(example.name()).startsWith("7 (number 0 of ");
        List<Message.Part> asked = example.messages().get(0).parts();
        assertThat(asked.get(0)).isInstanceOf(Message.ImagePart.class);
        assertThat(example.images().get(0)).hasToString("Image[" + folder.resolve("images/a/b.jpg") + "]");
        assertThat(asked.get(1)).isEqualTo(new Message.Text("What?"));
        assertThat(example.messages().get(1).parts()).containsExactly(new Message.Text("A \"{\" bus"));
    }

    @Test
    void theFolderOfThePicturesMayBeTheCurrentOne() throws IOException {
        Path json = Files.writeString(folder.resolve("data.json"), "[{\"image\": \"a.jpg\", " + TURNS + "}]");
        LlavaDataset data = LlavaDataset.of(json, Path.of("."));
        assertThat(data.get(0).images().get(0))
                .hasToString("Image[" + Path.of("a.jpg").toAbsolutePath() + "]");
    }

    @Test
    void oneObjectPerLineIsReadToo() throws IOException {
        assertThat(open("{\"image\": \"a.jpg\", " + TURNS + "}\n{\"image\": \"b.jpg\", " + TURNS + "}\n"))
                .hasSize(2);
    }

    @Test
    void picturesComeWhereTheyAreShown() throws IOException {
        TrainingExample example = open("[{\"image\": [\"1.jpg\", \"2.jpg\"], \"conversations\": ["
                        + "{\"from\": \"human\", \"value\": \"<image>\"}, {\"from\": \"gpt\", \"value\": \"One.\"},"
                        + "{\"from\": \"human\", \"value\": \"<image>And?\"}, {\"from\": \"gpt\", \"value\": \"Two.\"}]}]")
                .get(0);
        assertThat(example.messages().get(0).parts()).hasSize(1);
        assertThat(example.messages().get(2).parts()).hasSize(2);
        assertThat(example.images()).hasSize(2);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '^',
            value = {
                "{\"id\": 1} | has no list 'conversations'",
                "{\"conversations\": [{\"from\": \"x\", \"value\": \"a\"}]} | turn 1 must be",
                "{\"conversations\": [{\"from\": \"gpt\", \"value\": \"a\"}]} | must alternate",
                "{\"conversations\": [{\"from\": \"human\", \"value\": \"a\"}]} | has 1 turns",
                "{\"conversations\": [{\"from\": \"human\", \"value\": \"a\"}, {\"from\": \"gpt\", \"value\": \" \"}]} | is empty",
                "{\"conversations\": [{\"from\": \"human\", \"value\": \"<image>\"}, {\"from\": \"gpt\", \"value\": \"b\"}]} | has 0 pictures",
                "{\"image\": \"../x.jpg\", \"conversations\": []} | lies outside",
                "{\"image\": {}, \"conversations\": []} | is no path",
                "{\"id\": tru} | is not JSON",
            })
    void aBadRecordIsNamedAndTheNextOneIsRead(String record, String problem) throws IOException {
        LlavaDataset data = open("[" + record + ", {\"image\": \"a.jpg\", " + TURNS + "}]");
        assertThatExceptionOfType(TrainingDataException.class)
                .isThrownBy(() -> data.get(0))
                .withMessageContaining("number 0 of " + folder.resolve("data.json"))
                .withMessageContaining(problem);
        assertThat(data.get(1).messages()).hasSize(2);
    }

    @Test
    void aFileThatIsNoDataIsRefused() {
        assertThatExceptionOfType(TrainingDataException.class)
                .isThrownBy(() -> open("[]"))
                .withMessageContaining("holds no records");
        assertThatExceptionOfType(TrainingDataException.class)
                .isThrownBy(() -> open("[{\"id\": 1}, {\"id\": \"2"))
                .withMessageContaining("begins at byte 12; the file was cut off");
        assertThatExceptionOfType(TrainingDataException.class)
                .isThrownBy(() -> open("[}]"))
                .withMessageContaining("a closing bracket too many at byte 1");
        assertThatExceptionOfType(TrainingDataException.class)
                .isThrownBy(() -> LlavaDataset.of(folder.resolve("none.json"), folder))
                .withMessageContaining("none.json");
    }
}
