@NullMarked
package io.langbridge.spring.boot;

import org.jspecify.annotations.NullMarked;
