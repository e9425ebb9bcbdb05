package io.langbridge.examples.kotlin

import java.io.ByteArrayOutputStream
import java.io.PrintStream
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

class MainTest {
    @Test
    fun saysWhatIsThere() {
        val before = System.out
        val printed = ByteArrayOutputStream()
        System.setOut(PrintStream(printed, true))
        try {
            main()
        } finally {
            System.setOut(before)
        }
        val lines = printed.toString().lines()
        assertEquals(listOf("a purple crescent", "yellow"), lines.take(2))
        assertTrue(lines[2].startsWith("There is a large brown letter E"), lines[2])
    }
}
