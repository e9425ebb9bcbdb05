@NullMarked
package io.langbridge.records;

import org.jspecify.annotations.NullMarked;
