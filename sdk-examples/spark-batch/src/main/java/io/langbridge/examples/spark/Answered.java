package io.langbridge.examples.spark;

import java.util.Map;

/** A row of the output. What is not known is null. */
final class Answered {
    /** Where it is, from the folder of pictures. */
    String picture;
    /** Of the picture's bytes. */
    String sha256;
    /** Of the question, its form and the model's revision: rows with both equal need not be asked again. */
    String task;

    String question;
    String model;
    String answer;
    /** Of each choice, or of each value of an answer that is held to a schema. */
    Map<String, Double> probabilities;
    /** Why the answer ended. */
    String finish;

    Integer promptTokens;
    Integer visualTokens;
    Integer newTokens;
    long millis;
    String error;
}
