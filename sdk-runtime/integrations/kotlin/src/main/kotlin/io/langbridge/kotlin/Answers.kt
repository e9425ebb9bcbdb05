package io.langbridge.kotlin

import io.langbridge.Answer
import io.langbridge.AnswerStream
import io.langbridge.Chat
import io.langbridge.Message
import io.langbridge.Request
import io.langbridge.VisionLanguageModel
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.runInterruptible

/**
 * Answers a request without blocking the caller's thread.
 *
 * ```
 * val answer = model.ask { image(photo).text("What is parked on the left?") }
 * ```
 *
 * Cancelling the coroutine ends the generation; this comes back when it has ended, as soon as the tile of the picture, the
 * chunk of the prompt or the token that is being computed is done. A thread of [Dispatchers.IO] waits meanwhile.
 *
 * The model's own `ask(image, question)` blocks: it is for threads, not for coroutines.
 *
 * @param request says what to ask
 * @return what [VisionLanguageModel.answer] returns, which is what it throws too
 */
public suspend fun VisionLanguageModel.ask(request: Request.Builder.() -> Unit): Answer = ask(requestOf(request))

/** Answers a request, as [ask] with a builder does. */
public suspend fun VisionLanguageModel.ask(request: Request): Answer =
    runInterruptible(Dispatchers.IO) { answer(request) }

/**
 * Answers a request piece by piece.
 *
 * ```
 * model.pieces { image(photo).text("Describe the street.") }.collect { print(it.text) }
 * ```
 *
 * A cold flow: each collector has an answer of its own, which begins when it collects. Nothing runs ahead of the
 * collector, so a slow one holds the answer up. Cancelling it, or taking no more of it (`first()`, `take(5)`), ends the
 * generation and gives everything back, also where the flow is never collected to its end.
 *
 * @param onAnswer is told the whole answer after its last piece: why it ended, what it cost
 * @param request says what to ask
 */
public fun VisionLanguageModel.pieces(
    onAnswer: suspend (Answer) -> Unit = {},
    request: Request.Builder.() -> Unit,
): Flow<AnswerStream.Piece> = pieces(requestOf(request), onAnswer)

/** Answers a request piece by piece, as [pieces] with a builder does. */
public fun VisionLanguageModel.pieces(
    request: Request,
    onAnswer: suspend (Answer) -> Unit = {},
): Flow<AnswerStream.Piece> = piecesOf(onAnswer) { stream(request) }

/**
 * Answers a turn of a chat without blocking the caller's thread, as [VisionLanguageModel.ask] does. When it comes back
 * cancelled, the chat takes the next turn.
 */
public suspend fun Chat.ask(turn: Message): Answer =
    runInterruptible(Dispatchers.IO) { stream(turn).use { it.answer() } }

/** Answers a turn of a chat piece by piece, as [VisionLanguageModel.pieces] does. */
public fun Chat.pieces(turn: Message, onAnswer: suspend (Answer) -> Unit = {}): Flow<AnswerStream.Piece> =
    piecesOf(onAnswer) { stream(turn) }

private fun requestOf(request: Request.Builder.() -> Unit): Request = Request.builder().apply(request).build()

private fun piecesOf(onAnswer: suspend (Answer) -> Unit, open: () -> AnswerStream): Flow<AnswerStream.Piece> = flow {
    val answer = open().use { stream ->
        val pieces = stream.iterator()
        // An interrupt ends the answer, so a cancelled collector waits for one token at most.
        while (runInterruptible(Dispatchers.IO) { pieces.hasNext() }) {
            emit(pieces.next())
        }
        stream.answer()
    }
    onAnswer(answer)
}
