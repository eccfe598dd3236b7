# Make nls.json: R's nls for three fits of tables that ship with R. Tests need no R.
# Run as `Rscript tests/golden/make_nls.R`.

numbers <- function(x) paste0("[", paste(sprintf("%.17g", as.numeric(x)), collapse = ", "), "]")
tight <- nls.control(tol = 1e-8, maxiter = 200, nDcentral = TRUE)

one <- function(name, fit, smaller, data) {
  w <- data$w  # where update looks for it
  s <- coef(summary(fit))
  columns <- paste(sprintf('"%s": %s', names(data), vapply(data, numbers, "")), collapse = ",\n   ")
  test <- anova(smaller, fit)
  loose <- update(fit, control = nls.control())  # profiles are found by nls again, and interpolated
  sprintf(
    '"%s": {"call": "%s", "names": ["%s"],\n  "data": {%s},\n  "coef": %s, "se": %s, "t": %s, "p": %s, "sigma": %.17g, "loglik": %.17g, "aic": %.17g, "bic": %.17g,\n  "cov": %s, "sandwich": %s, "profile": %s, "pearson": %s, "F": %.17g, "F p": %.17g}',
    name, gsub('"', "'", paste(deparse(fit$call), collapse = " ")), paste(rownames(s), collapse = '", "'), columns,
    numbers(s[, 1]), numbers(s[, 2]), numbers(s[, 3]), numbers(s[, 4]), sigma(fit), as.numeric(logLik(fit)), AIC(fit),
    BIC(fit), numbers(vcov(fit)), numbers(sandwich::sandwich(fit)), numbers(t(suppressMessages(confint(loose)))),
    numbers(residuals(fit, "pearson")), test[["F value"]][2], test[["Pr(>F)"]][2])
}

treated <- subset(Puromycin, state == "treated")[c("conc", "rate")]
weighted <- transform(treated, w = c(0, 2, 1, 0.5, 3, 1, 1, 2, 0.25, 1, 1, 4))
trees <- data.frame(age = Orange$age, y = Orange$circumference)
out <- c(
  one("puromycin", nls(rate ~ top * conc / (half + conc), treated, c(top = 200, half = 0.05), control = tight),
      nls(rate ~ top * conc / (0.05 + conc), treated, c(top = 200), control = tight), treated),
  one("weighted", nls(rate ~ top * conc / (half + conc), weighted, c(top = 200, half = 0.05), weights = w, control = tight),
      nls(rate ~ top * conc / (0.05 + conc), weighted, c(top = 200), weights = w, control = tight), weighted),
  one("orange", nls(y ~ top / (1 + exp((mid - age) / wide)), trees, c(top = 190, mid = 700, wide = 350), control = tight),
      nls(y ~ top / (1 + exp((700 - age) / wide)), trees, c(top = 190, wide = 350), control = tight), trees)
)
made <- sprintf('"made by": "Rscript tests/golden/make_nls.R, %s"', R.version.string)
writeLines(paste0("{", made, ",\n", paste(out, collapse = ",\n"), "}"), "tests/golden/nls.json")
