package io.langbridge.examples.langchain4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import org.junit.jupiter.api.Test;

class LookTest {
    @Test
    void saysWhatIsThereAndMakesARecord() throws Exception {
        PrintStream before = System.out;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        System.setOut(new PrintStream(printed, true));
        try {
            Look.main();
        } finally {
            System.setOut(before);
        }
        String[] lines = printed.toString().split("\\R");
        assertEquals("a purple crescent", lines[0]);
        assertTrue(lines[1].matches("Thing\\[colour=[A-Z]+, kind=(SHAPE|LETTER|DIGIT|OTHER)]"), lines[1]);
    }
}
