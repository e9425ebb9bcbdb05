/** Answers about pictures as Java records: start at {@code Records}. */
@NullMarked
package io.langbridge.records;

import org.jspecify.annotations.NullMarked;
