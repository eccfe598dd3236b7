# Part of make_estimation.R: lm, glm, quasi families, weights, robust covariances, tests, influence, averages.

table_of <- function(a, columns) {                                        # a table of tests as plain columns
  out <- lapply(columns, function(cn) vec(as.numeric(a[[cn]])))
  c(list(rows = vec(trimws(rownames(a)))), out)
}
wald_of <- function(b, V, R, r = 0) {
  d <- R %*% b - r
  drop(t(d) %*% solve(R %*% V %*% t(R), d))
}
robust <- function(f, data) {
  out <- list()
  for (type in c("HC0", "HC1", "HC2", "HC3")) out[[type]] <- vcovHC(f, type = type)
  if (inherits(f, "lm") && !inherits(f, "glm")) out$HC4 <- vcovHC(f, type = "HC4")
  if (!is.null(data$id) && !is.null(data$block)) {
    CL <- function(by, ...) vcovCL(f, cluster = by, ...)
    out$cluster_id <- list(HC0_plain = CL(~id, type = "HC0", cadjust = FALSE), HC0 = CL(~id, type = "HC0", cadjust = TRUE),
      HC1 = CL(~id, type = "HC1", cadjust = TRUE), HC1_plain = CL(~id, type = "HC1", cadjust = FALSE), groups = length(unique(data$id)))
    out$cluster_id_block <- list(HC0_plain = CL(~id + block, type = "HC0", cadjust = FALSE, multi0 = FALSE),
      HC0 = CL(~id + block, type = "HC0", cadjust = TRUE, multi0 = FALSE), HC1 = CL(~id + block, type = "HC1", cadjust = TRUE, multi0 = FALSE),
      HC1_multi0 = CL(~id + block, type = "HC1", cadjust = TRUE, multi0 = TRUE), groups = vec(c(length(unique(data$id)), length(unique(data$block)))))
    out$newey_west_lag3 <- NeweyWest(f, lag = 3, prewhite = FALSE, adjust = FALSE)
    out$newey_west_lag3_adjusted <- NeweyWest(f, lag = 3, prewhite = FALSE, adjust = TRUE)
    out$kernel_parzen_bw4 <- kernHAC(f, kernel = "Parzen", bw = 4, prewhite = FALSE, adjust = FALSE)
    out$andrews <- list(vcov = vcovHAC(f, prewhite = FALSE, adjust = FALSE), bandwidth = bwAndrews(f, prewhite = FALSE), kernel = "Quadratic Spectral")
  }
  out
}
influence_of <- function(f) {
  i <- influence.measures(f)
  p <- length(coef(f))
  list(hat = rows12(vec(hatvalues(f))), cooks = rows12(vec(cooks.distance(f))), dffits = rows12(vec(dffits(f))), covratio = rows12(vec(covratio(f))),
    rstudent = rows12(vec(rstudent(f))), dfbetas = rows12(unname(dfbetas(f))))
}
deleted <- function(f, call, data, rows = c(1, 7)) lapply(rows, function(i) {
  assign("without", data[-i, ], envir = globalenv())
  list(row = i, coef = vec(coef(fit_of(sub("DATA", "without", call, fixed = TRUE)))))
})
base_of <- function(f) {
  s <- coef(summary(f))
  list(names = vec(names(coef(f))), coef = vec(coef(f)), se = vec(s[, 2]), statistic = vec(s[, 3]), p = vec(s[, 4]), vcov = vcov(f),
    loglik = as.numeric(logLik(f)), npar = attr(logLik(f), "df"), aic = AIC(f), bic = BIC(f), df_residual = df.residual(f), nobs = nobs(f),
    deviance = deviance(f))
}
fit_of <- function(call) {                                               # R's call, its data named DATA, tightly fitted
  if (!grepl("^glm\\(", call)) return(eval(parse(text = call), globalenv()))
  again(quiet(eval(parse(text = sub("\\)$", ", control = tight)", call)), globalenv())))
}

# ---- lm ----------------------------------------------------------------------------------------------------------------
linear_case <- function(name, data, formula, smaller, slopes = NULL, factors = NULL, weights = NULL, test = NULL) {
  frame <- get(data)
  extra <- if (is.null(weights)) "" else sprintf(", weights = %s", weights)
  call <- sprintf("lm(%s, DATA%s)", formula, extra)
  shown <- sub("DATA", data, call)
  f <- fit_of(shown)
  f0 <- fit_of(sprintf("lm(%s, %s%s)", smaller, data, extra))
  s <- summary(f); new <- new_rows[[data]]
  out <- c(list(data = data, call = shown, package = "stats", digits = 12, family = "gaussian", formula = formula), base_of(f),
    list(sigma = s$sigma, r_squared = s$r.squared, adj_r_squared = s$adj.r.squared, fstatistic = vec(s$fstatistic), confint = unname(confint(f)),
      X = rows12(unname(model.matrix(f))),
      anova = table_of(anova(f), c(df = "Df", sum_sq = "Sum Sq", F = "F value", p = "Pr(>F)")),
      drop1 = { d <- drop1(f, test = "F"); table_of(d, c(df = "Df", rss = "RSS", aic = "AIC", F = "F value", p = "Pr(>F)")) },
      smaller = smaller,
      tests = { a <- anova(f0, f); l <- lrtest(f0, f); w <- waldtest(f0, f, test = "Chisq")
        list(F = list(statistic = a$F[2], df = vec(c(a$Df[2], a$Res.Df[2])), p = a$`Pr(>F)`[2]),
          lr = list(statistic = l$Chisq[2], df = abs(l$Df[2]), p = l$`Pr(>Chisq)`[2]),
          wald = list(statistic = w$Chisq[2], df = w$Df[2], p = w$`Pr(>Chisq)`[2]),
          wald_HC1 = { w <- waldtest(f0, f, vcov = function(x) vcovHC(x, type = "HC1")); list(F = w$F[2], p = w$`Pr(>F)`[2]) }) },
      robust = robust(f, frame),
      residuals = list(response = rows12(vec(residuals(f))), pearson = rows12(vec(residuals(f, "pearson"))), standardized = rows12(vec(rstandard(f)))),
      fitted = rows12(vec(fitted(f))), influence = influence_of(f), deleted = deleted(f, call, frame),
      new = data, predict = { p <- predict(f, new, se.fit = TRUE); list(fit = vec(p$fit), se = vec(p$se.fit),
        confidence = unname(predict(f, new, interval = "confidence")), prediction = unname(suppressWarnings(predict(f, new, interval = "prediction")))) }))
  if (length(slopes) || length(factors)) {
    g <- fit_of(sub(paste(",", data), paste(", gaussian(),", data), sub("^lm", "glm", shown), fixed = TRUE))
    out$averages <- averages(g, frame, slopes, factors, vcov(f))
  }
  if (!is.null(test)) {
    h <- car::linearHypothesis(f, test, test = "F")
    out$hypothesis <- list(text = vec(test), F = h$F[2], df = h$Df[2], p = h$`Pr(>F)`[2])
  }
  cases[[name]] <<- out; cat(name, "\n")
}
linear_case("lm_cars", "mtcars", "mpg ~ wt + hp + cyl", "mpg ~ wt", "wt", "cyl", test = c("cyl6 = cyl8", "hp = 0"))
linear_case("lm_sim", "sim", "y ~ x1 + x2 + g", "y ~ x1", c("x1", "x2"), "g", test = c("x1 = x2", "gb = 0"))
linear_case("lm_interaction", "sim", "y ~ x1 * x2 + g", "y ~ x1 + x2", c("x1", "x2"), "g")
linear_case("lm_variance_weights", "sim", "y ~ x1 + x2 + g", "y ~ x1 + x2", weights = "v")

# ---- glm ---------------------------------------------------------------------------------------------------------------
quantile_bounds <- function(f, family) {                                  # qnorm of P(Y < y) and P(Y <= y): no random number needed
  y <- f$y * if (family == "binomial") f$prior.weights else 1
  m <- fitted(f); size <- f$prior.weights
  p <- switch(family, poisson = cbind(ppois(y - 1, m), ppois(y, m)), binomial = cbind(pbinom(round(y) - 1, size, m), pbinom(round(y), size, m)))
  rows12(unname(qnorm(p)))
}
glm_case <- function(name, data, formula, family, smaller, extra = "", slopes = NULL, factors = NULL, full = TRUE, test = NULL, intervals = full) {
  frame <- get(data)
  made <- eval(parse(text = family)); kind <- made$family; link <- made$link
  known <- kind %in% c("binomial", "poisson")
  call <- sprintf("glm(%s, %s, DATA%s)", formula, family, extra)
  shown <- sub("DATA", data, call)
  f <- fit_of(shown)
  f0 <- fit_of(sprintf("glm(%s, %s, %s%s)", smaller, family, data, sub(", start = [^)]*\\)", "", extra)))
  phi <- summary(f)$dispersion
  X <- model.matrix(f)
  new <- new_rows[[data]]
  plain <- sub("^quasi", "", kind)
  V <- if (kind == "quasi") f$family$varfun else plain
  I <- if (kind == "quasi") NULL else observed_information(f, plain, link, phi)
  score <- colSums(estfun(f))
  step <- max(abs(vcov(f) %*% score) / pmax(abs(coef(f)), 1e-3))
  out <- c(list(data = data, call = shown, package = "stats", family = kind, link = link, formula = formula,
    digits = min(12, floor(-log10(step)))), base_of(f),
    list(dispersion = phi, null_deviance = f$null.deviance, df_null = f$df.null, vcov_observed = if (!is.null(I)) solve(I),
      confint_wald = unname(confint.default(f))))
  if (!known && plain == kind) out$note <- "loglik, aic, bic: R's, with the dispersion at deviance / n and counted in npar; se: the dispersion by Pearson's statistic"
  if (known) out$vcov_opg <- vcovOPG(f)
  out$smaller <- smaller
  estimated <- !known
  l <- if (startsWith(kind, "quasi")) NULL else lrtest(f0, f)
  w <- waldtest(f0, f, test = "Chisq"); rao <- anova(f0, f, test = "Rao"); Ftest <- anova(f0, f, test = "F"); Chi <- anova(f0, f, test = "LRT")
  out$tests <- list(wald = list(statistic = w$Chisq[2], df = w$Df[2], p = w$`Pr(>Chisq)`[2]),
    lr_scaled_deviance = list(statistic = Chi$Deviance[2] / phi, df = Chi$Df[2], p = Chi$`Pr(>Chi)`[2]),
    score = list(statistic = rao$Rao[2], df = rao$Df[2], p = rao$`Pr(>Chi)`[2]))
  if (!is.null(l)) out$tests$lr <- list(statistic = l$Chisq[2], df = abs(l$Df[2]), p = l$`Pr(>Chisq)`[2])
  if (estimated) out$tests$F <- list(statistic = Ftest$F[2], df = vec(c(Ftest$Df[2], df.residual(f))), p = Ftest$`Pr(>F)`[2])
  if (full) {
    a <- anova(f, test = "LRT")
    out$anova <- table_of(a, c(df = "Df", deviance = "Deviance", df_residual = "Resid. Df", deviance_residual = "Resid. Dev", p = "Pr(>Chi)"))
    d <- drop1(f, test = "LRT"); stat <- grep("LRT|scaled", names(d), value = TRUE)[1]
    out$drop1 <- table_of(d, c(df = "Df", deviance = "Deviance", aic = "AIC", lrt = stat, p = "Pr(>Chi)"))
    d <- drop1(f, test = "Rao"); stat <- grep("Rao", names(d), value = TRUE)[1]
    out$drop1_score <- table_of(d, c(df = "Df", rao = stat, p = "Pr(>Chi)"))
    out$robust <- robust(f, frame)
    out$residuals <- list(response = rows12(vec(residuals(f, "response"))), pearson = rows12(vec(residuals(f, "pearson"))),
      deviance = rows12(vec(residuals(f, "deviance"))), working = rows12(vec(residuals(f, "working"))),
      standardized_deviance = rows12(vec(rstandard(f))), standardized_pearson = rows12(vec(rstandard(f, type = "pearson"))))
    if (known) out$residuals$quantile_bounds <- quantile_bounds(f, kind)
    if (kind %in% c("Gamma", "inverse.gaussian", "gaussian")) out$residuals$quantile <- rows12(vec(qresid(f)))
    out$fitted <- rows12(vec(fitted(f)))
    out$influence <- influence_of(f)
    out$deleted <- if (!grepl("start", extra)) deleted(f, call, frame)
  }
  if (!is.null(new) && all(all.vars(delete.response(terms(f))) %in% names(new))) {
    p <- predict(f, new, se.fit = TRUE); r <- predict(f, new, "response", se.fit = TRUE)
    q <- qnorm(0.975)
    out$new <- data
    out$predict <- list(link = vec(p$fit), link_se = vec(p$se.fit), response = vec(r$fit), response_se = vec(r$se.fit),
      interval = unname(cbind(f$family$linkinv(p$fit - q * p$se.fit), f$family$linkinv(p$fit + q * p$se.fit))))
  }
  if (length(slopes) || length(factors)) out$averages <- averages(f, frame, slopes, factors)
  if (intervals && known && all(is.finite(coef(f)))) {
    each <- lapply(seq_along(coef(f)), function(j) glm_intervals(f, j))
    out$profile <- do.call(rbind, lapply(each, `[[`, "profile"))
    out$score_interval <- do.call(rbind, lapply(each, `[[`, "score"))
    out$intervals_digits <- 9
  }
  if (!is.null(test)) {
    h <- car::linearHypothesis(f, test, test = "Chisq")
    out$hypothesis <- list(text = vec(test), chisq = h$Chisq[2], df = h$Df[2], p = h$`Pr(>Chisq)`[2])
  }
  cases[[name]] <<- out; cat(name, out$digits, "\n")
  invisible(f)
}
full <- "~ x1 + x2 + g"
model <- function(y, rhs = full) paste(y, rhs)
glm_case("glm_gaussian_log", "mtcars", "mpg ~ wt + hp", 'gaussian("log")', "mpg ~ wt", ", start = c(3.9, -0.2, -0.001)", full = FALSE, slopes = c("wt", "hp"))
glm_case("glm_binomial_logit", "sim", model("bin"), 'binomial("logit")', model("bin", "~ x1"), slopes = c("x1", "x2"), factors = "g", test = c("x1 = x2", "gb = 0"))
for (link in c("probit", "cloglog", "cauchit"))
  glm_case(paste0("glm_binomial_", link), "sim", model("bin"), sprintf('binomial("%s")', link), model("bin", "~ x1"), slopes = c("x1", "x2"), factors = "g", full = FALSE, intervals = TRUE)
glm_case("glm_binomial_log", "sim", "rare ~ x1", 'binomial("log")', "rare ~ 1", ", start = c(-1.6, 0)", slopes = "x1", full = FALSE)
glm_case("glm_binomial_counts", "budworm", "cbind(dead, alive) ~ sex * ldose", "binomial()", "cbind(dead, alive) ~ ldose")
glm_case("glm_binomial_counts_probit", "budworm", "cbind(dead, alive) ~ sex + ldose", 'binomial("probit")', "cbind(dead, alive) ~ ldose", full = FALSE)
glm_case("glm_poisson_dobson", "counts", "counts ~ outcome + treatment", "poisson()", "counts ~ 1")
glm_case("glm_poisson_log", "sim", model("count"), "poisson()", model("count", "~ x1"), slopes = c("x1", "x2"), factors = "g", test = c("x1 = x2", "gb = 0"))
glm_case("glm_poisson_interaction", "sim", "count ~ x1 * x2 + g", "poisson()", model("count", "~ x1"), slopes = c("x1", "x2"), factors = "g", full = FALSE)
glm_case("glm_poisson_offset", "sim", model("claims", "~ x1 + x2 + g + offset(log(exposure))"), "poisson()", model("claims", "~ x1 + offset(log(exposure))"), slopes = c("x1", "x2"), factors = "g")
glm_case("glm_poisson_identity", "sim", "many ~ x1 + x2", 'poisson("identity")', "many ~ x1", ", start = c(6, 1, 2)", slopes = c("x1", "x2"), full = FALSE)
glm_case("glm_poisson_sqrt", "sim", "many ~ x1 + x2", 'poisson("sqrt")', "many ~ x1", slopes = c("x1", "x2"), full = FALSE)
glm_case("glm_gamma_log", "sim", model("cost"), 'Gamma("log")', model("cost", "~ x1"), slopes = c("x1", "x2"), factors = "g")
glm_case("glm_gamma_inverse", "clotting", "lot1 ~ log(u)", "Gamma()", "lot1 ~ 1")
glm_case("glm_gamma_identity", "sim", "cost ~ x2 + g", 'Gamma("identity")', "cost ~ x2", ", start = c(4, -1, 1, -1)", full = FALSE)
glm_case("glm_inverse_gaussian_log", "sim", model("wait"), 'inverse.gaussian("log")', model("wait", "~ x1"), slopes = c("x1", "x2"), factors = "g")
glm_case("glm_inverse_gaussian_default", "sim", "wait ~ x2 + g", "inverse.gaussian()", "wait ~ x2", full = FALSE)
glm_case("glm_quasipoisson", "sim", model("over"), "quasipoisson()", model("over", "~ x1"), slopes = c("x1", "x2"), factors = "g", full = FALSE)
glm_case("glm_quasibinomial", "budworm", "cbind(dead, alive) ~ sex + ldose", "quasibinomial()", "cbind(dead, alive) ~ ldose", full = FALSE)
glm_case("glm_quasi_mu2", "sim", model("cost"), 'quasi(link = "log", variance = "mu^2")', model("cost", "~ x1"), full = FALSE)
glm_case("glm_prior_weights_poisson", "sim", model("count"), "poisson()", model("count", "~ x1"), ", weights = w", full = FALSE, intervals = TRUE)
glm_case("glm_prior_weights_gamma", "sim", model("cost"), 'Gamma("log")', model("cost", "~ x1"), ", weights = v", full = FALSE)

# ---- three kinds of weights ----------------------------------------------------------------------------------------------
repeated <- sim[rep(seq_len(nrow(sim)), sim$w), ]
f <- fit_of("glm(count ~ x1 + x2 + g, poisson(), repeated)"); g <- fit_of("lm(y ~ x1 + x2 + g, repeated)")
case("weights_frequency", data = "sim", call = "glm(count ~ x1 + x2 + g, poisson(), sim[rep(1:120, w), ])", package = "stats", digits = 12,
  note = "every row of sim repeated w times: what frequency weights must give", poisson = c(base_of(f), list(null_deviance = f$null.deviance, HC0 = vcovHC(f, type = "HC0"), HC1 = vcovHC(f, type = "HC1"))),
  gaussian = c(list(call = "lm(y ~ x1 + x2 + g, sim[rep(1:120, w), ])"), base_of(g), list(sigma = sigma(g), HC0 = vcovHC(g, type = "HC0"), HC1 = vcovHC(g, type = "HC1"))))
sampled <- function(call, design, family, data = "sim") {
  assign("design", design, globalenv()); assign("from_here", NULL, globalenv())
  for (i in 1:12) { s <- eval(parse(text = sub("\\)$", ", control = tight, start = from_here)", call)), globalenv()); assign("from_here", coef(s), globalenv()) }
  list(call = call, names = vec(names(coef(s))), coef = vec(coef(s)), se = vec(sqrt(diag(vcov(s)))), vcov = unname(vcov(s)), df_residual = s$df.residual)
}
quiet(library(survey))
rows_design <- svydesign(ids = ~1, weights = ~v, data = sim); groups_design <- svydesign(ids = ~id, weights = ~v, data = sim)
case("weights_sampling", data = "sim", package = "survey", digits = 10,
  note = "design: svydesign(ids = ~1, weights = ~v, data = sim); clusters: ids = ~id. Rows: weighted sandwich times n/(n - 1); clusters: G/(G - 1)",
  binomial = sampled("svyglm(bin ~ x1 + x2 + g, design, family = quasibinomial())", rows_design),
  poisson = sampled("svyglm(count ~ x1 + x2 + g, design, family = quasipoisson())", rows_design),
  gaussian = sampled("svyglm(y ~ x1 + x2 + g, design)", rows_design),
  binomial_clusters = sampled("svyglm(bin ~ x1 + x2 + g, design, family = quasibinomial())", groups_design))
proportion <- data.frame(budworm, share = budworm$dead / 20, trials = 20)
f <- fit_of('glm(share ~ sex + ldose, binomial(), proportion, weights = trials)')
case("glm_binomial_proportion", data = "budworm", call = "glm(dead / 20 ~ sex + ldose, binomial(), budworm, weights = rep(20, 12))", package = "stats",
  digits = 12, result = c(base_of(f), list(null_deviance = f$null.deviance)))

# ---- emmeans: means on the link scale, numeric covariates at their means ----------------------------------------------------
for (made in list(c("emmeans_poisson", "glm(count ~ x1 + x2 + g, poisson(), sim)"), c("emmeans_lm", "lm(y ~ x1 + x2 + g, sim)"))) {
  f <- fit_of(made[2]); e <- emmeans::emmeans(f, "g"); p <- as.data.frame(pairs(e, adjust = "none")); e <- as.data.frame(e)
  case(made[1], data = "sim", call = sprintf('emmeans(%s, "g"); pairs(., adjust = "none")', made[2]), package = "emmeans", digits = 10,
    means = list(levels = vec(as.character(e$g)), estimate = vec(e$emmean), se = vec(e$SE), low = vec(e[[5]]), high = vec(e[[6]])),
    pairs = list(terms = vec(as.character(p$contrast)), estimate = vec(p$estimate), se = vec(p$SE), p = vec(p$p.value)))
}

# ---- Tweedie with its power fixed: statmod's family; the density by its series -----------------------------------------------
tweedie_rows <- function(y, mu, phi, p) {
  a <- (2 - p) / (1 - p); j <- 1:300
  t(mapply(function(y, mu) {
    A <- (if (y > 0) y * mu^(1 - p) / (1 - p) else 0) - mu^(2 - p) / (2 - p)
    if (y == 0) return(c(A / phi, -A / phi, A / phi))
    w <- j * (-a * log(y) + a * log(p - 1) - (1 - a) * log(phi) - log(2 - p)) - lgamma(j + 1) - lgamma(-a * j)
    top <- max(w); q <- exp(w - top) / sum(exp(w - top)); m <- sum(q * j)
    c(top + log(sum(exp(w - top))) - log(y) + A / phi, -(1 - a) * m - A / phi, (1 - a)^2 * (sum(q * j^2) - m^2) + A / phi)
  }, y, mu))                                                              # log density and its two derivatives in log(phi)
}
tweedie <- statmod::tweedie
for (p in c(1.3, 1.5, 1.8)) {
  f <- again(quiet(glm(loss ~ x1 + x2 + g, tweedie(var.power = p, link.power = 0), sim, control = tight)))
  pearson <- summary(f)$dispersion; mu <- fitted(f)
  lp <- uniroot(function(lp) sum(tweedie_rows(sim$loss, mu, exp(lp), p)[, 2]), c(-4, 4), tol = 1e-15)$root
  for (i in 1:3) { r <- tweedie_rows(sim$loss, mu, exp(lp), p); lp <- lp - sum(r[, 2]) / sum(r[, 3]) }
  r <- tweedie_rows(sim$loss, mu, exp(lp), p)
  here <- if (requireNamespace("tweedie", quietly = TRUE)) agreement(r[, 1], log(quiet(tweedie::dtweedie(sim$loss, power = p, mu = mu, phi = exp(lp)))))
  I <- observed_information(f, NULL, "log", exp(lp), bquote(mu^.(p)), quote(exp(e)))
  case(sprintf("tweedie_%s", p), data = "sim", call = sprintf("glm(loss ~ x1 + x2 + g, tweedie(var.power = %s, link.power = 0), sim)", p), package = "statmod",
    power = p, digits = 9, names = vec(names(coef(f))), coef = vec(coef(f)), se = vec(sqrt(diag(vcov(f)))), vcov = vcov(f), dispersion = pearson,
    deviance = deviance(f), null_deviance = f$null.deviance, df_residual = df.residual(f), fitted = rows12(vec(fitted(f))),
    loglik_at_pearson = sum(tweedie_rows(sim$loss, mu, pearson, p)[, 1]),
    ml = list(note = "dispersion by maximum likelihood, power fixed; log-likelihood by the density's series; with `se` from the observed information",
      phi = exp(lp), se_log_phi = sqrt(-1 / sum(r[, 3])), loglik = sum(r[, 1]), se = vec(sqrt(diag(solve(I)))), vcov_observed = solve(I),
      loglik_rows = rows12(vec(r[, 1])), rows_agreement_with_tweedie = here))
}
