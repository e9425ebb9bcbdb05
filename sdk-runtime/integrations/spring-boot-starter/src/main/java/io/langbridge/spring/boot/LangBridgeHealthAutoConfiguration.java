package io.langbridge.spring.boot;

import io.langbridge.VisionLanguageModel;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.annotation.Bean;

/**
 * With the actuator: up as long as the model can be asked.
 *
 * @since 0.1
 */
@AutoConfiguration(after = LangBridgeAutoConfiguration.class)
@ConditionalOnClass(HealthIndicator.class)
@ConditionalOnBean(VisionLanguageModel.class)
public final class LangBridgeHealthAutoConfiguration {
    LangBridgeHealthAutoConfiguration() {}

    @Bean
    @ConditionalOnEnabledHealthIndicator("langbridge")
    @ConditionalOnMissingBean(name = "langBridgeHealthIndicator")
    HealthIndicator langBridgeHealthIndicator(VisionLanguageModel model, LangBridgeProperties properties) {
        return () -> {
            Health.Builder health = new Health.Builder();
            String name = LangBridgeAutoConfiguration.name(properties);
            if (name != null) {
                health.withDetail("model", name);
            }
            try {
                return health.withDetail("contextLength", model.contextLength())
                        .up()
                        .build();
            } catch (IllegalStateException e) {
                return health.down(e).build();
            }
        };
    }
}
