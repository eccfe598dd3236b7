# Make r.json: R's results for four regressions of tables that ship with R. Tests need no R.
# Run as `Rscript tests/golden/make_r.R`.

numbers <- function(x) paste0("[", paste(sprintf("%.17g", as.numeric(x)), collapse = ", "), "]")
strings <- function(x) paste0("[", paste0('"', x, '"', collapse = ", "), "]")

one <- function(name, fit, family) {
  frame <- model.frame(fit)
  X <- model.matrix(fit)
  y <- model.response(frame)
  if (is.factor(y)) y <- as.numeric(y) - 1
  s <- coef(summary(fit))
  cov <- vcov(fit)
  sprintf(
    '"%s": {"family": "%s", "call": "%s", "names": %s,\n  "X": %s,\n  "y": %s,\n  "coef": %s, "se": %s, "statistic": %s, "p": %s, "loglik": %.17g, "cov": %s, "profile": %s}',
    name, family, gsub('"', "'", paste(deparse(fit$call), collapse = " ")), strings(colnames(X)), numbers(t(X)), numbers(y),
    numbers(s[, 1]), numbers(s[, 2]), numbers(s[, 3]), numbers(s[, 4]), as.numeric(logLik(fit)), numbers(cov),
    numbers(t(suppressMessages(confint(fit)))))
}

tight <- glm.control(epsilon = 1e-15, maxit = 100)
# glm's standard errors come from the weights of the last step but one: started from its own end they are exact
again <- function(fit) update(fit, start = coef(fit))
out <- c(
  one("plants", lm(weight ~ group, PlantGrowth), "gaussian"),
  one("cars", lm(mpg ~ wt + hp + factor(cyl), mtcars), "gaussian"),
  one("transmission", again(glm(am ~ wt + hp, binomial, mtcars, control = tight)), "binomial"),
  one("infert", again(glm(case ~ age + parity + education + spontaneous + induced, binomial, infert, control = tight)),
      "binomial")
)
made <- sprintf('"made by": "Rscript tests/golden/make_r.R, %s"', R.version.string)
writeLines(paste0("{", made, ",\n", paste(out, collapse = ",\n"), "}"), "tests/golden/r.json")
