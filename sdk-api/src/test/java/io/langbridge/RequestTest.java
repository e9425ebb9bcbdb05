package io.langbridge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
                .containsExactly(new Message.Text("First "), new Message.Picture(image), new Message.Text(" what?"));
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
    void only_the_user_can_show_a_picture() {
        assertThatThrownBy(() ->
                        new Message(Message.Role.ASSISTANT, Collections.singletonList(new Message.Picture(image))))
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
}
