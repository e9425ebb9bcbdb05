package io.langbridge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import org.junit.jupiter.api.Test;

class RequestTest {
    private final Image image = Image.ofArgb(new int[] {0xFF0000FF}, 1, 1);

    @Test
    void pictures_and_texts_stay_in_the_order_they_were_added() {
        Request request = Request.builder()
                .system("Be brief.")
                .text("First ")
                .image(image)
                .text(" what?")
                .assistant("This.")
                .text("And?")
                .build();
        assertThat(request.messages())
                .extracting(Message::role)
                .containsExactly(Message.Role.SYSTEM, Message.Role.USER, Message.Role.ASSISTANT, Message.Role.USER);
        assertThat(request.messages().get(1).parts())
                .containsExactly(new Message.Text("First "), new Message.ImagePart(image), new Message.Text(" what?"));
    }

    @Test
    void a_request_ends_with_the_users_turn() {
        assertThatThrownBy(() -> Request.builder().build()).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> Request.builder().text("a").assistant("b").build())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("user's turn");
    }

    @Test
    void the_system_message_comes_first() {
        assertThatThrownBy(() -> Request.builder().text("a").system("b")).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void a_system_message_in_the_middle_is_an_error_that_names_its_place() {
        Message system = new Message(Message.Role.SYSTEM, Collections.singletonList(new Message.Text("Be brief.")));
        assertThatThrownBy(() -> Request.builder()
                        .text("a")
                        .messages(Collections.singletonList(system))
                        .text("b")
                        .build())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("message 2 of 3")
                .hasMessageContaining("user's turn");
    }

    @Test
    void an_empty_question_is_an_error() {
        assertThatThrownBy(() -> Request.of(image, " \n"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("question is empty");
        assertThatThrownBy(() -> Request.builder().text("").build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("turn is empty");
        assertThat(Request.builder().image(image).build().messages()).hasSize(1);
        assertThat(Message.assistant("").text()).isEmpty();
    }

    @Test
    @SuppressWarnings("NullAway")
    void null_fails_at_once_and_by_name() {
        assertThatThrownBy(() -> new Message(Message.Role.USER, Arrays.asList(new Message.Text("a"), null)))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("parts[1]");
        assertThatThrownBy(() -> new Message.Text(null))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("text");
        assertThatThrownBy(() -> new Message.ImagePart(null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> Request.builder().messages(Collections.singletonList(null)))
                .isInstanceOf(NullPointerException.class);
    }

    @Test
    void an_answer_of_the_model_is_a_whole_turn_of_the_assistant() {
        Duration none = Duration.ZERO;
        Answer answer = new Answer(
                "",
                "Two.",
                new int[] {1},
                FinishReason.STOP_TOKEN,
                new Answer.Usage(1, 0, 0, 1),
                new Answer.Timings(none, none, none, none, none));
        Request request =
                Request.builder().text("a").assistant(answer).text("b").build();
        assertThat(request.messages().get(1)).isEqualTo(Message.assistant(answer));
        assertThat(request.messages().get(1).text()).isEqualTo("Two.");
        Message.Part part = new Message.Answered(answer);
        assertThatThrownBy(() -> new Message(Message.Role.USER, Collections.singletonList(part)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("USER");
        assertThatThrownBy(() -> new Message(Message.Role.ASSISTANT, Arrays.asList(part, part)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("2 parts");
    }

    @Test
    void only_the_user_can_show_a_picture() {
        assertThatThrownBy(() ->
                        new Message(Message.Role.ASSISTANT, Collections.singletonList(new Message.ImagePart(image))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("ASSISTANT");
    }

    @Test
    void a_built_request_does_not_change_with_its_builder() {
        Request.Builder builder = Request.builder().text("a");
        Request request = builder.build();
        builder.text("b");
        assertThat(request.messages().get(0).parts()).hasSize(1);
    }

    @Test
    void aRequestIsVaried() {
        Request first = Request.builder()
                .system("Be brief.")
                .text("What?")
                .assistant("A dog.")
                .text("Why?")
                .options(GenerationOptions.greedy())
                .build();
        Request same = first.toBuilder().build();
        assertThat(same.messages()).isEqualTo(first.messages());
        assertThat(same.options()).isEqualTo(first.options());
        Request more =
                first.toBuilder().text(" Where?").timeout(Duration.ofSeconds(3)).build();
        assertThat(more.messages()).hasSize(4).startsWith(first.messages().toArray(Message[]::new)[0]);
        assertThat(more.messages().get(3).parts())
                .containsExactly(new Message.Text("Why?"), new Message.Text(" Where?"));
        assertThat(more.timeout()).isEqualTo(Duration.ofSeconds(3));
        assertThat(first.timeout()).isNull();
        assertThat(first.messages().get(3).parts()).hasSize(1);
    }

    @Test
    void optionsOfAnExplanationAreVaried() {
        ExplainOptions first = ExplainOptions.builder()
                .wordsPerPatch(3)
                .byMagnitude(true)
                .word("dog")
                .build();
        assertThat(first.toBuilder().build()).hasToString(first.toString());
        assertThat(first.toBuilder().word("cat").imageWords(5).build().words()).containsExactly("dog", "cat");
        assertThat(first.words()).containsExactly("dog");
    }
}
