@NullMarked
package io.langbridge.spring.ai;

import org.jspecify.annotations.NullMarked;
