@NullMarked
package io.langbridge.langchain4j;

import org.jspecify.annotations.NullMarked;
