# What guide.md quotes from R: `Rscript docs/guide.R > tests/golden/guide_r.txt`, with MASS and sandwich.
# The data are MASS's epil, and penguins.csv, which comes with bibun.

suppressPackageStartupMessages({ library(MASS); library(sandwich) })
options(width = 100, useFancyQuotes = FALSE)
quiet <- function(x) suppressMessages(x)

cat("## poisson\n")
m <- glm(y ~ trt + log(base / 4) + log(age), poisson, epil)
print(summary(m))

cat("## clustered\n")
V <- vcovCL(m, cluster = ~subject)
print(cbind(estimate = coef(m), se = sqrt(diag(V)), z = coef(m) / sqrt(diag(V))))

cat("## negative binomial\n")
n <- glm.nb(y ~ trt + log(base / 4) + log(age), epil)
print(coef(summary(n)))
print(c(theta = n$theta, SE = n$SE.theta, twologlik = n$twologlik))

cat("## profile\n")
print(quiet(confint(m)), digits = 7)

cat("## nested\n")
print(anova(glm(y ~ log(base / 4) + log(age), poisson, epil), m, test = "LRT"))

cat("## predicted\n")
new <- data.frame(trt = c("placebo", "progabide"), base = 24, age = 28)
p <- predict(m, new, type = "response", se.fit = TRUE)
q <- predict(m, new, se.fit = TRUE)
print(cbind(fit = p$fit, se = p$se.fit, low = exp(q$fit - qnorm(0.975) * q$se.fit), high = exp(q$fit + qnorm(0.975) * q$se.fit)))

cat("## lm\n")
penguins <- read.csv("src/bibun/data/penguins.csv", stringsAsFactors = TRUE)
l <- lm(body_mass_g ~ flipper_length_mm + sex, penguins)
print(summary(l))
print(predict(l, data.frame(flipper_length_mm = c(190, 210), sex = c("female", "male")), interval = "prediction"))
