package io.langbridge.examples.kotlin

import io.langbridge.Image
import io.langbridge.VisionLanguageModel
import io.langbridge.kotlin.ask
import io.langbridge.kotlin.pieces
import io.langbridge.runtime.demo.DemoModel
import java.nio.file.Path
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.runBlocking

/** Asks two things side by side and streams a description: `MainKt [MODEL_FOLDER [PICTURE]]`. */
fun main(vararg args: String) = runBlocking {
    DemoModel.open().use { demo ->
        load(args.getOrNull(0), demo).use { model ->
            val picture = model.encode(picture(args.getOrNull(1)))
            listOf("What is on the right?", "What color is the heart?")
                .map { question -> async { model.ask { image(picture).text(question) } } }
                .awaitAll()
                .forEach { println(it.text()) }
            model.pieces { image(picture).text("Describe the picture.") }.collect { print(it.text) }
            println()
        }
    }
}

private fun load(folder: String?, demo: DemoModel): VisionLanguageModel =
    if (folder != null) {
        VisionLanguageModel.load(Path.of(folder))
    } else {
        VisionLanguageModel.builder().encoder(demo.encoder()).adapter(demo.adapter()).llm(demo.llm()).build()
    }

private fun picture(file: String?): Image =
    if (file != null) {
        Image.of(Path.of(file))
    } else {
        checkNotNull(DemoModel::class.java.getResourceAsStream("/picture.png")).use { Image.of(it) }
    }
