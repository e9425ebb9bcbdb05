package io.langbridge.kotlin

import io.langbridge.Answer
import io.langbridge.BusyException
import io.langbridge.EngineName
import io.langbridge.FinishReason
import io.langbridge.Image
import io.langbridge.Message
import io.langbridge.Request
import io.langbridge.VisionLanguageModel
import io.langbridge.runtime.demo.DemoModel
import io.langbridge.testing.FakeAnswer
import io.langbridge.testing.FakeModel
import java.nio.file.Path
import java.util.concurrent.CopyOnWriteArrayList
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.assertj.core.api.Assertions.assertThat
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

class AnswersTest {
    private fun turn(text: String) = Message(Message.Role.USER, listOf(Message.Text(text)))

    @Test
    fun `several questions are answered`(): Unit = runBlocking {
        FakeModel.builder().`when`("What", "A bicycle.").`when`("How many", "Two.").build().use { model ->
            val both = listOf("What is it?", "How many?").map { async { model.ask { text(it) }.text() } }.awaitAll()
            assertThat(both).containsExactly("A bicycle.", "Two.")
            assertThat(model.openStreams()).isZero()
        }
    }

    @Test
    fun `failures are those of the model`() {
        runBlocking {
            FakeModel.builder().otherwise { _ -> FakeAnswer.failure(BusyException(1, 0)) }.build().use { model ->
                assertThrows<BusyException> { model.ask { text("What is it?") } }
                assertThrows<BusyException> { model.pieces { text("What is it?") }.toList() }
                assertThrows<IllegalStateException> { model.ask {} }
                assertThat(model.openStreams()).isZero()
            }
        }
    }

    @Test
    fun `cancelling a question ends the generation before it comes back`(): Unit = runBlocking {
        stalling().use { model ->
            // In this thread until it suspends: if it blocked, nobody would cancel it.
            val question = launch(start = CoroutineStart.UNDISPATCHED) { model.ask { text("What is it?") } }
            withTimeout(120_000) { question.cancelAndJoin() }
            assertThat(model.openStreams()).isZero()
        }
    }

    @Test
    fun `pieces come in order and then the whole answer`(): Unit = runBlocking {
        FakeModel.builder().next("A red bicycle.").build().use { model ->
            val answers = CopyOnWriteArrayList<Answer>()
            val request = Request.builder().text("What is it?").build()
            val pieces = model.pieces(request, answers::add).map { it.text }.toList()
            assertThat(pieces).containsExactly("A", " red", " bicycle.", "")
            assertThat(answers.single().finishReason()).isEqualTo(FinishReason.STOP_TOKEN)
        }
    }

    @Test
    fun `a flow is cold and each collector has an answer of its own`(): Unit = runBlocking {
        FakeModel.builder().next("One.", "Two.").build().use { model ->
            val pieces = model.pieces { text("Which?") }
            assertThat(model.requests()).isEmpty()
            assertThat(pieces.first().text).isEqualTo("One.")
            assertThat(pieces.first().text).isEqualTo("Two.")
        }
    }

    @Test
    fun `who takes no more ends the generation`(): Unit = runBlocking {
        var whole: Answer? = null
        stalling().use { model ->
            val pieces = model.pieces(onAnswer = { whole = it }) { text("What is it?") }.take(2).toList()
            assertThat(pieces.map { it.text }).containsExactly("A", " red")
            assertThat(model.openStreams()).isZero()
            assertThat(whole).isNull()
        }
    }

    @Test
    fun `cancelling a collector that waits ends the generation`(): Unit = runBlocking {
        stalling().use { model ->
            val second = CompletableDeferred<Unit>()
            val collector = launch {
                model.pieces { text("What is it?") }.collect { if (it.text == " red") second.complete(Unit) }
            }
            second.await()
            withTimeout(120_000) { collector.cancelAndJoin() }
            assertThat(model.openStreams()).isZero()
        }
    }

    @Test
    fun `nothing runs ahead of the collector`(): Unit = runBlocking {
        FakeModel.builder().next("A red bicycle.").build().use { model ->
            var seen = 0
            model.pieces { text("What is it?") }.collect {
                // A piece that is there already would have been taken from the model, which then were at its end.
                seen++
                assertThat(model.openStreams()).isEqualTo(if (seen < 4) 1 else 0)
            }
        }
    }

    @Test
    fun `a chat goes on after a turn that was cancelled`(): Unit = runBlocking {
        FakeModel.builder()
            .next(FakeAnswer.of("A red bicycle.").stallingAfter(2))
            .next("Yes.", "No.")
            .build()
            .use { model ->
                model.chat().use { chat ->
                    assertThat(chat.pieces(turn("What is it?")).take(2).toList()).hasSize(2)
                    assertThat(chat.ask(turn("Sure?")).text()).isEqualTo("Yes.")
                    assertThat(chat.pieces(turn("Really?")).first().text).isEqualTo("No.")
                    assertThat(chat.messages().map { it.text() }).startsWith("What is it?", "A red", "Sure?", "Yes.")
                }
            }
    }

    @Test
    fun `the bundled model answers`(): Unit = runBlocking {
        DemoModel.open().use { demo ->
            VisionLanguageModel.builder()
                .encoder(demo.encoder())
                .adapter(demo.adapter())
                .llm(demo.llm())
                .engine(EngineName.ONNX)
                .build()
                .use { model ->
                    val picture = Image.of(Path.of("../../../sdk-examples/quickstart/src/main/resources/picture.png"))
                    val answer = model.ask { image(picture).text("What is on the right?") }
                    assertThat(answer.text()).isEqualTo("a purple crescent")
                    val pieces = model.pieces { image(picture).text("What is on the right?") }.toList()
                    assertThat(pieces.joinToString("") { it.text }).isEqualTo(answer.text())
                }
        }
    }

    private fun stalling() =
        FakeModel.builder().next(FakeAnswer.of("A red bicycle.").stallingAfter(2)).build()
}
