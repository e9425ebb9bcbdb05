package io.langbridge.examples.springboot;

import io.langbridge.BusyException;
import io.langbridge.LangBridgeException;
import java.io.IOException;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.core.io.ByteArrayResource;
import org.springframework.core.io.Resource;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.util.MimeTypeUtils;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.multipart.MultipartFile;
import reactor.core.publisher.Flux;

/** Takes a picture and a question, and streams the answer as it comes. */
@SpringBootApplication
@RestController
public class Application {
    private final ChatClient client;

    Application(ChatClient.Builder builder) {
        client = builder.build();
    }

    public static void main(String... args) {
        SpringApplication.run(Application.class, args);
    }

    /** One piece of the answer. As JSON, since readers of an event stream drop a blank at its beginning. */
    record Piece(String text) {}

    @PostMapping(path = "/ask", produces = MediaType.TEXT_EVENT_STREAM_VALUE)
    Flux<Piece> ask(@RequestParam MultipartFile picture, @RequestParam String question) throws IOException {
        Resource read = new ByteArrayResource(picture.getBytes());
        return client.prompt().user(user -> user.text(question).media(MimeTypeUtils.IMAGE_PNG, read)).stream()
                .content()
                .map(Piece::new);
    }

    /** A picture that is none is the caller's fault; a full queue passes. */
    @ExceptionHandler
    ResponseEntity<String> failed(LangBridgeException failure) {
        HttpStatus status = failure instanceof BusyException ? HttpStatus.SERVICE_UNAVAILABLE : HttpStatus.BAD_REQUEST;
        return ResponseEntity.status(status).contentType(MediaType.TEXT_PLAIN).body(failure.getMessage());
    }
}
