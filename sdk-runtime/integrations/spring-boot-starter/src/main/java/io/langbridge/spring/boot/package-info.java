/** What {@code langbridge.*} properties say, as beans of a Spring Boot application. */
@NullMarked
package io.langbridge.spring.boot;

import org.jspecify.annotations.NullMarked;
