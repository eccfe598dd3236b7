# Part of make_estimation.R: nonlinear, robust, Student-t and quantile regression, Firth's penalty, ridge/lasso/elastic net.

# ---- nls: standard errors s^2 (J'J)^-1, s^2 = RSS / (n - p); Newton's method on the sum of squares from R's end -----------------
nonlinear <- function(name, data, call, mean_of, y, start, new, weights = NULL, smaller = NULL) {
  frame <- get(data); n <- nrow(frame); w <- if (is.null(weights)) rep(1, n) else frame[[weights]]
  f <- quiet(eval(parse(text = sub("\\)$", ", control = nls.control(tol = 1e-10, maxiter = 500, warnOnly = TRUE))", call))))
  X <- setNames(rep(list(one(n)), length(start)), start)
  fit <- function(b, w) ml(list(list(e = bquote(-0.5 * (.(as.name(y)) - .(mean_of))^2))), X, b, as.list(frame), weights = w)
  m <- fit(coef(f), w); b <- m$coef; p <- length(b)
  rss <- -2 * m$loglik; s2 <- rss / (n - p)
  at <- function(b, rows) eval(mean_of, c(setNames(as.list(b), start), as.list(rows)))
  J <- attr(eval(deriv(mean_of, start), c(setNames(as.list(b), start), as.list(frame))), "gradient")
  V <- s2 * solve(crossprod(J * sqrt(w)))
  ends <- fit(b, w / s2)$profile(qt(0.975, n - p)^2)
  Jn <- attr(eval(deriv(mean_of, start), c(setNames(as.list(b), start), as.list(new))), "gradient")
  residual <- frame[[y]] - at(b, frame); sigma2 <- rss / n
  ll <- -n / 2 * (log(2 * pi) + log(sigma2) + 1) + sum(log(w)) / 2
  out <- list(data = data, call = call, package = "stats", refined = TRUE, digits = 11, profile_digits = 9,
    package_agreement = list(coef = agreement(b, coef(f)), se = agreement(sqrt(diag(V)), sqrt(diag(vcov(f)))), loglik = agreement(ll, logLik(f))),
    names = vec(start), coef = vec(b), se = vec(sqrt(diag(V))), vcov = unname(V), sigma = sqrt(s2), rss = rss, df_residual = n - p, loglik = ll,
    npar = p + 1, aic = -2 * ll + 2 * (p + 1), bic = -2 * ll + log(n) * (p + 1), statistic = vec(b / sqrt(diag(V))), p = vec(2 * pt(-abs(b / sqrt(diag(V))), n - p)),
    confint_wald = unname(cbind(b - qt(.975, n - p) * sqrt(diag(V)), b + qt(.975, n - p) * sqrt(diag(V)))), profile_t = ends,
    vcov_observed = unname(s2 * m$vcov), fitted = rows12(vec(frame[[y]] - residual)), hat = rows12(vec(rowSums((J %*% (V / s2)) * J) * w)),
    new = as.list(new), predict = list(fit = vec(at(b, new)), se = vec(sqrt(rowSums((Jn %*% V) * Jn)))))
  if (!is.null(smaller)) {
    g <- quiet(eval(parse(text = sub("\\)$", ", control = nls.control(tol = 1e-9, maxiter = 500, warnOnly = TRUE))", smaller)))); a <- anova(g, f)
    out$smaller <- smaller; out$F <- list(statistic = a$`F value`[2], df = vec(c(a$Df[2], n - p)), p = a$`Pr(>F)`[2])
  }
  cases[[name]] <<- out; cat(name, m$digits, format(unlist(out$package_agreement), digits = 2), "\n")
}
logistic_mean <- quote(Asym / (1 + exp((xmid - log(conc)) / scal)))
nonlinear("nls_dnase", "DNase1", "nls(density ~ SSlogis(log(conc), Asym, xmid, scal), DNase1)", logistic_mean, "density", c("Asym", "xmid", "scal"), data.frame(conc = c(.1, 2, 9)),
  smaller = "nls(density ~ Asym / (1 + exp(xmid - log(conc))), DNase1, start = list(Asym = 2, xmid = 1))")
keep("treated", data.frame(subset(Puromycin, state == "treated", c("conc", "rate")), row.names = NULL), "R's datasets::Puromycin, state treated")
treated$v <- c(1, 2, .5, 1, 1.5, 1, 2, 1, .5, 1, 1, 2); keep("treated", treated, "R's datasets::Puromycin, state treated; v made up")
micmen <- quote(Vm * conc / (K + conc))
nonlinear("nls_puromycin", "treated", "nls(rate ~ SSmicmen(conc, Vm, K), treated)", micmen, "rate", c("Vm", "K"), data.frame(conc = c(.05, .5)))
nonlinear("nls_weights", "treated", "nls(rate ~ Vm * conc / (K + conc), treated, start = list(Vm = 200, K = .05), weights = v)", micmen, "rate", c("Vm", "K"), data.frame(conc = c(.05, .5)), weights = "v")
puromycin <- transform(Puromycin, treated = as.numeric(state == "treated")); keep("puromycin", puromycin, "R's datasets::Puromycin, treated = 1 where state is treated")
nonlinear("nls_puromycin_groups", "puromycin", "nls(rate ~ (Vm + dV * treated) * conc / (K + conc), puromycin, start = list(Vm = 160, dV = 40, K = .05))", quote((Vm + dV * treated) * conc / (K + conc)),
  "rate", c("Vm", "dV", "K"), data.frame(conc = c(.05, .5), treated = c(1, 0)), smaller = "nls(rate ~ Vm * conc / (K + conc), puromycin, start = list(Vm = 160, K = .05))")

# ---- rlm: M-estimation, scale by the rescaled median of |residual| or Huber's proposal 2 ------------------------------------------
robust_case <- function(name, data, formula, psi, extra = "") {
  call <- sprintf("rlm(%s, %s, psi = %s%s)", formula, data, psi, extra)
  f <- quiet(eval(parse(text = sub("\\)$", ", maxit = 5000, acc = 1e-14)", call))))
  s <- summary(f)
  r <- residuals(f); k <- 1.345; theta <- 2 * pnorm(k) - 1                 # scale and weights once more from the residuals, and a step
  scale <- if (grepl("proposal", extra)) sqrt(sum(pmin(r^2, (k * f$s)^2)) / (df.residual(lm(formula, get(data))) * (theta + k^2 * (1 - theta) - 2 * k * dnorm(k))))
    else median(abs(r)) / 0.6745
  w <- if (psi == "psi.bisquare") psi.bisquare(r / scale) else psi.huber(r / scale, k = if (grepl("k = 2", extra)) 2 else 1.345)
  moved <- max(agreement(coef(f), lm.wfit(model.matrix(f), model.response(model.frame(f)), w)$coefficients), abs(scale / f$s - 1))
  case(name, data = data, call = call, package = "MASS", formula = formula, digits = min(10, floor(-log10(max(moved, 1e-16)))), moved_by_one_more_step = moved,
    names = vec(names(coef(f))), coef = vec(coef(f)), se = vec(s$coefficients[, 2]), statistic = vec(s$coefficients[, 3]), vcov = vcov(f), scale = f$s,
    weights = rows12(vec(f$w)), fitted = rows12(vec(fitted(f))), df_residual = s$df[2],
    note = "huber k = 1.345; bisquare c = 4.685, from least squares; scale: median(|r|) / 0.6745; se of summary.rlm (method XtX)")
}
for (d in list(c("phones", "calls ~ year"), c("stackloss", "stack.loss ~ Air.Flow + Water.Temp + Acid.Conc."), c("sim", "heavy ~ x1 + x2 + g"))) {
  robust_case(paste0("rlm_huber_", d[1]), d[1], d[2], "psi.huber")
  robust_case(paste0("rlm_bisquare_", d[1]), d[1], d[2], "psi.bisquare")
}
robust_case("rlm_huber_proposal2_stackloss", "stackloss", "stack.loss ~ Air.Flow + Water.Temp + Acid.Conc.", "psi.huber", ', scale.est = "proposal 2"')
robust_case("rlm_huber_k2_sim", "sim", "heavy ~ x1 + x2 + g", "psi.huber", ", k = 2")

# ---- Student-t errors: degrees of freedom fixed at 4 (survreg) and estimated -----------------------------------------------------
X <- model.matrix(~ x1 + x2 + g, sim)
f <- survreg(Surv(heavy) ~ x1 + x2 + g, sim, dist = "t", parms = 4, control = survreg.control(rel.tolerance = 1e-15, maxiter = 300))
t_row <- function(nu) bquote(lgamma((.(nu) + 1) / 2) - lgamma(.(nu) / 2) - 0.5 * log(pi * .(nu)) - ls - (.(nu) + 1) / 2 * log(1 + ((y - e) / exp(ls))^2 / .(nu)))
m <- ml(list(list(e = t_row(4))), list(e = X, ls = one(nrow(X))), c(coef(f), log(f$scale)), list(y = sim$heavy))
refined("student_t_4", m, "sim", 'survreg(Surv(heavy) ~ x1 + x2 + g, sim, dist = "t", parms = 4)', "survival",
  list(coef = agreement(m$coef[1:5], coef(f)), loglik = agreement(m$loglik, f$loglik[2])), names = c(colnames(X), "log(scale)"), cluster = sim$id,
  formula = "heavy ~ x1 + x2 + g", vcov_survreg = unname(vcov(f)), note = "survreg's own covariance for t is approximate; se and vcov here are from the exact second derivatives")
m <- ml(list(list(e = t_row(quote(exp(ln))))), list(e = X, ls = one(nrow(X)), ln = one(nrow(X))), c(coef(f), log(f$scale), log(4)), list(y = sim$heavy))
refined("student_t_free", m, "sim", "heavy ~ x1 + x2 + g, Student-t errors, degrees of freedom estimated", "none: Newton's method on the likelihood", names = c(colnames(X), "log(scale)", "log(df)"),
  cluster = sim$id, formula = "heavy ~ x1 + x2 + g")

# ---- maximum likelihood with the dispersion a parameter: gamma (shape) and inverse Gaussian (lambda), log link ------------------------
X <- model.matrix(~ x1 + x2 + g, sim)
f <- again(quiet(glm(cost ~ x1 + x2 + g, Gamma("log"), sim, control = tight)))
m <- ml(list(list(e = quote(exp(la) * (la - e) - lgamma(exp(la)) + (exp(la) - 1) * log(y) - exp(la) * y * exp(-e)))), list(e = X, la = one(nrow(X))), c(coef(f), 1), list(y = sim$cost))
shape <- gamma.shape(f, it.lim = 100, eps.max = 1e-12)
refined("ml_gamma_log", m, "sim", 'glm(cost ~ x1 + x2 + g, Gamma("log"), sim) with MASS::gamma.shape', "MASS", list(coef = agreement(m$coef[1:5], coef(f)), shape = agreement(exp(m$coef[6]), shape$alpha),
  se_shape = agreement(exp(m$coef[6]) * sqrt(m$vcov[6, 6]), shape$SE)), names = c(colnames(X), "log(shape)"), cluster = sim$id, formula = "cost ~ x1 + x2 + g")
f <- again(quiet(glm(wait ~ x1 + x2 + g, inverse.gaussian("log"), sim, control = tight)))
m <- ml(list(list(e = quote(0.5 * (ll - log(2 * pi) - 3 * log(y)) - exp(ll) * (y - exp(e))^2 / (2 * exp(2 * e) * y)))), list(e = X, ll = one(nrow(X))), c(coef(f), 1), list(y = sim$wait))
refined("ml_inverse_gaussian_log", m, "sim", 'glm(wait ~ x1 + x2 + g, inverse.gaussian("log"), sim), lambda estimated', "stats", list(coef = agreement(m$coef[1:5], coef(f)),
  loglik = agreement(m$loglik, logLik(f))), names = c(colnames(X), "log(lambda)"), cluster = sim$id, formula = "wait ~ x1 + x2 + g")

# ---- quantile regression: a vertex of the linear program, so exact --------------------------------------------------------------
quantile_case <- function(name, data, formula, new = NULL) {
  each <- lapply(c(.25, .5, .9), function(tau) {
    unique <- TRUE
    f <- withCallingHandlers(rq(as.formula(formula), tau = tau, data = get(data), method = "br"),
      warning = function(w) { unique <<- !grepl("nonunique", conditionMessage(w)); invokeRestart("muffleWarning") })
    se <- function(kind) { s <- quiet(summary(f, se = kind, covariance = TRUE, hs = TRUE)); list(se = vec(s$coefficients[, 2]), vcov = unname(s$cov)) }
    list(tau = tau, unique = unique, names = vec(names(coef(f))), coef = vec(coef(f)), objective = f$rho, loglik = as.numeric(logLik(f)), aic = AIC(f)[1], iid = se("iid"), nid = se("nid"),
      rank_intervals = unname(quiet(summary(f, se = "rank", alpha = 0.05, iid = TRUE))$coefficients[, 2:3]), bandwidth_hs = bandwidth.rq(tau, nrow(get(data)), hs = TRUE),
      predict = if (!is.null(new)) vec(predict(f, new)))
  })
  case(name, data = data, call = sprintf('rq(%s, tau, %s, method = "br")', formula, data), package = "quantreg", formula = formula, digits = 11,
    note = "se: summary.rq se = 'iid' and 'nid', Hall-Sheather bandwidth; objective: sum of the check function", new = if (!is.null(new)) data, taus = each)
}
quantile_case("rq_engel", "engel", "foodexp ~ income")
quantile_case("rq_sim", "sim", "heavy ~ x1 + x2", new_rows$sim)
quantile_case("rq_stackloss", "stackloss", "stack.loss ~ Air.Flow + Water.Temp + Acid.Conc.")

# ---- Firth: the likelihood plus half the log determinant of Fisher's information -------------------------------------------------
firth <- function(name, data, formula, family, weights = NULL) {
  made <- eval(parse(text = family)); extra <- if (is.null(weights)) "" else sprintf(", weights = %s", weights)
  call <- sprintf('glm(%s, %s, %s%s, method = "brglmFit", type = "AS_mean")', formula, family, data, extra)
  f <- quiet(eval(parse(text = sub("\\)$", ", epsilon = 1e-13, maxit = 20000)", call))))
  X <- model.matrix(f); y <- f$y; w <- f$prior.weights; off <- if (is.null(f$offset)) 0 else f$offset
  parts <- function(b) {
    eta <- drop(X %*% b) + off; mu <- made$linkinv(eta); W <- w * made$variance(mu); I <- crossprod(X * W, X)
    h <- W * rowSums((X %*% solve(I)) * X)
    l <- if (made$family == "binomial") sum(dbinom(round(w * y), w, mu, log = TRUE)) else sum(dpois(y, mu, log = TRUE))
    list(U = drop(crossprod(X, w * (y - mu) + if (made$family == "binomial") h * (0.5 - mu) else h / 2)), I = I, loglik = l, penalized = l + 0.5 * as.numeric(determinant(I)$modulus))
  }
  climb <- function(b, free = seq_along(b)) {
    for (i in 1:3000) {
      p <- parts(b); step <- solve(p$I[free, free, drop = FALSE], p$U[free]); big <- max(abs(step)); if (big > 2) step <- step * 2 / big
      b[free] <- b[free] + step
      if (max(abs(step)) < 1e-14) break
    }
    b
  }
  b <- climb(coef(f)); p <- parts(b); V <- solve(p$I)
  ends <- t(sapply(seq_along(b), function(j) sapply(c(-1, 1), function(side) {
    near <- b
    h <- function(t) { s <- near; s[j] <- t; near <<- climb(s, setdiff(seq_along(b), j)); 2 * (p$penalized - parts(near)$penalized) - qchisq(.95, 1) }
    lo <- b[j] + side * .5 * sqrt(V[j, j]); hi <- lo
    for (i in 1:40) { hi <- hi + side * .5 * sqrt(V[j, j]); if (h(hi) > 0) break }
    tryCatch(uniroot(h, sort(c(lo, hi)), tol = 1e-12)$root, error = function(e) NA)
  })))
  case(name, data = data, call = call, package = "brglm2", refined = TRUE, digits = 12, profile_digits = 8, package_agreement = list(coef = agreement(b, coef(f)), se = agreement(sqrt(diag(V)), sqrt(diag(vcov(f))))),
    formula = formula, family = made$family, names = vec(names(coef(f))), coef = vec(b), se = vec(sqrt(diag(V))), vcov = unname(V), loglik = p$loglik, penalized_loglik = p$penalized,
    profile_penalized = ends, fitted = rows12(vec(made$linkinv(drop(X %*% b) + off))),
    note = "vcov: the inverse of Fisher's information at the estimate, without the penalty; profile: of the penalized likelihood, its penalty from the whole information")
  cat("   ", format(unlist(cases[[name]]$package_agreement), digits = 2), "\n")
}
firth("firth_logit_endometrial", "endometrial", "HG ~ NV + PI + EH", "binomial()")
firth("firth_logit_sim", "sim", "bin ~ x1 + x2 + g", "binomial()")
firth("firth_logit_counts", "budworm", "cbind(dead, alive) ~ sex + ldose", "binomial()")
firth("firth_poisson_sim", "sim", "count ~ x1 + x2 + g", "poisson()")
firth("firth_poisson_offset", "sim", "claims ~ x1 + x2 + offset(log(exposure))", "poisson()")
separated <- data.frame(y = c(0, 0, 0, 0, 0, 1, 1, 1, 1, 1), x = c(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), z = c(1, 0, 1, 1, 0, 0, 1, 0, 1, 1))
keep("separated", separated, "made up: x separates y")
firth("firth_logit_separated", "separated", "y ~ x + z", "binomial()")

# ---- glmnet: its end is polished: on the active set, with its signs, the stationarity equations are solved by Newton's method ------------
penalized_path <- function(name, family, y, alpha, standardize = TRUE, lambdas, weights = NULL, rhs = "x1 + x2 + g + t") {
  X <- model.matrix(as.formula(paste("~", rhs)), sim)[, -1]; w <- if (is.null(weights)) rep(1, nrow(X)) else sim[[weights]]; w <- w / sum(w)
  call <- sprintf('glmnet(X, sim$%s, family = "%s", alpha = %s, standardize = %s, lambda = c(%s)%s, thresh = 1e-20, maxit = 1e7)', y, family, alpha, standardize,
    paste(lambdas, collapse = ", "), if (is.null(weights)) "" else sprintf(", weights = sim$%s", weights))
  f <- eval(parse(text = call), list(X = X), globalenv()); Y <- sim[[y]]
  center <- colSums(w * X); scales <- if (standardize) sqrt(colSums(w * sweep(X, 2, center)^2)) else rep(1, ncol(X))
  Z <- cbind(1, sweep(X, 2, scales, "/"))
  sdy <- sqrt(sum(w * (Y - sum(w * Y))^2)); ridge_scale <- if (family == "gaussian") 1 / sdy else 1
  made <- list(gaussian = gaussian(), binomial = binomial(), poisson = poisson())[[family]]
  each <- lapply(seq_along(lambdas), function(i) {
    la <- f$lambda[i]; b <- c(f$a0[i], as.numeric(f$beta[, i]) * scales)
    on <- c(TRUE, b[-1] != 0); l1 <- la * alpha * sign(b); l1[1] <- 0; l2 <- c(0, rep(la * (1 - alpha) * ridge_scale, ncol(X)))
    start <- b
    for (k in 1:50) {
      eta <- drop(Z %*% b); g <- drop(crossprod(Z, w * (made$linkinv(eta) - Y))) + l1 + l2 * b
      H <- crossprod(Z[, on] * (w * made$mu.eta(eta)), Z[, on]) + diag(l2[on], sum(on))
      step <- solve(H, g[on]); b[on] <- b[on] - step; if (max(abs(step)) < 1e-15) break
    }
    slack <- drop(crossprod(Z, w * (made$linkinv(drop(Z %*% b)) - Y)))[!on]
    stopifnot(all((sign(b) == sign(start))[-1]), all(abs(slack) <= la * alpha + 1e-12))
    raw <- b[-1] / scales
    list(lambda = la, intercept = unname(b[1]), coef = vec(raw), agreement = signif(max(abs(b - start)), 2), dev_ratio = f$dev.ratio[i], df = sum(on) - 1)
  })
  case(name, data = "sim", call = call, package = "glmnet", family = family, response = y, alpha = alpha, standardize = standardize, weights = weights, refined = TRUE, digits = 11,
    names = vec(colnames(X)), columns = paste0("model.matrix(~ ", rhs, ") without its intercept"), scales = vec(scales), sd_y = if (family == "gaussian") sdy, null_deviance = f$nulldev,
    objective = paste("minus the mean log-likelihood (gaussian: RSS / 2n; weights sum to one)", "+ lambda * sum(alpha |b_j| s_j + (1 - alpha) / 2 c b_j^2 s_j^2), s_j =",
      if (standardize) "the column's standard deviation with divisor n (`scales`)," else "1,", "c =", if (family == "gaussian") "1 / sd_y, for glmnet divides y by its standard deviation (divisor n) without rescaling the ridge part" else "1", "; intercept free"),
    path = each)
  cat("   ", format(max(sapply(each, `[[`, "agreement")), digits = 2), "\n")
}
for (family in c("gaussian", "binomial", "poisson")) {
  y <- c(gaussian = "y", binomial = "bin", poisson = "count")[[family]]
  lambdas <- c(.5, .2, .08, .02, .004)
  penalized_path(paste0("net_", family, "_lasso"), family, y, 1, lambdas = lambdas)
  penalized_path(paste0("net_", family, "_ridge"), family, y, 0, lambdas = lambdas)
  penalized_path(paste0("net_", family, "_half"), family, y, 0.5, lambdas = lambdas)
  penalized_path(paste0("net_", family, "_half_unstandardized"), family, y, 0.5, FALSE, lambdas = lambdas)
}
penalized_path("net_gaussian_half_weights", "gaussian", "y", 0.5, weights = "v", lambdas = c(.5, .2, .08, .02, .004))
penalized_path("net_poisson_half_weights", "poisson", "count", 0.5, weights = "v", lambdas = c(.5, .2, .08, .02, .004))
