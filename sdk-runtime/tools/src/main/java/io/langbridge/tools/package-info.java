/**
 * What a machine has for running models, {@code Doctor}; for those who make and study adapters start at
 * {@code SharedVocabularies} and {@code AlignmentAnalysis}.
 */
@NullMarked
package io.langbridge.tools;

import org.jspecify.annotations.NullMarked;
