# Part of make_estimation.R: negative binomial, multinomial, ordinal, zero-inflated, hurdle, truncated, censored, beta.
# Every case is maximized again by Newton's method with exact second derivatives (estimation_tools.R).

one <- function(n) matrix(1, n, 1, dimnames = list(NULL, "(Intercept)"))
refined <- function(name, m, data, call, package, theirs = NULL, ..., cluster = NULL, names = NULL) {
  cases[[name]] <<- c(list(data = data, call = call, package = package, refined = TRUE, digits = min(12, m$digits), profile_digits = 9),
    if (!is.null(theirs)) list(package_agreement = theirs), entries(m, cluster = cluster, names = names), list(...))
  cat(name, m$digits, format(unlist(theirs), digits = 2), if (any(is.na(cases[[name]]$profile))) "open profile", "\n")
}
smaller_lr <- function(m, m0, df, text) list(smaller = text, statistic = 2 * (m$loglik - m0$loglik), df = df,
  p = pchisq(2 * (m$loglik - m0$loglik), df, lower.tail = FALSE))

# ---- negative binomial (NB2), the last parameter log(theta), variance mu + mu^2 / theta -------------------------------------
nb_row <- quote(lgamma(y + exp(lt)) - lgamma(exp(lt)) - lgamma(y + 1) + exp(lt) * lt + y * e - (y + exp(lt)) * log(exp(e) + exp(lt)))
negative_binomial <- function(name, data, formula, smaller, new = NULL, cluster = NULL, slopes = NULL, factors = NULL) {
  frame <- get(data)
  call <- sprintf("glm.nb(%s, %s)", formula, data)
  f <- quiet(eval(parse(text = sub("\\)$", ", control = tight)", call))))
  f0 <- quiet(eval(parse(text = sprintf("glm.nb(%s, %s, control = tight)", smaller, data))))
  fit <- function(f) ml(list(list(e = nb_row)), list(e = model.matrix(f), lt = one(length(f$y))), c(coef(f), log(f$theta)), list(y = f$y), list(e = f$offset))
  m <- fit(f); m0 <- fit(f0)
  k <- length(coef(f)); b <- m$coef[1:k]; theta <- exp(m$coef[[k + 1]])
  mu <- drop(exp(model.matrix(f) %*% b + if (is.null(f$offset)) 0 else f$offset)); X <- model.matrix(f)
  f$coefficients <- setNames(b, names(coef(f))); f$fitted.values <- mu; f$linear.predictors <- log(mu)
  dev <- 2 * ifelse(f$y > 0, f$y * log(pmax(f$y, 1) / mu), 0) - 2 * (f$y + theta) * log((f$y + theta) / (mu + theta))
  expected <- solve(crossprod(X * (mu / (1 + mu / theta)), X))
  extra <- list(formula = formula, theta = theta, se_theta = theta * sqrt(m$vcov[k + 1, k + 1]), alpha = 1 / theta, se_alpha = sqrt(m$vcov[k + 1, k + 1]) / theta,
    vcov_expected = expected, se_glm_nb = vec(sqrt(diag(expected))), deviance = sum(dev),
    fitted = rows12(vec(mu)), residuals = list(response = rows12(vec(f$y - mu)), pearson = rows12(vec((f$y - mu) / sqrt(mu + mu^2 / theta))),
      deviance = rows12(vec(sign(f$y - mu) * sqrt(pmax(dev, 0)))),
      quantile_bounds = rows12(unname(qnorm(cbind(pnbinom(f$y - 1, theta, mu = mu), pnbinom(f$y, theta, mu = mu)))))),
    lr = smaller_lr(m, m0, k - length(coef(f0)), smaller))
  if (!is.null(new)) {
    at <- design_of(f, new); V <- m$vcov[1:k, 1:k]
    se <- sqrt(rowSums((at$X %*% V) * at$X)); fit <- drop(at$X %*% b) + at$offset
    extra$new <- data
    extra$predict <- list(link = vec(fit), link_se = vec(se), response = vec(exp(fit)), response_se = vec(exp(fit) * se))
    f$family <- poisson("log")
    extra$averages <- averages(f, frame, slopes, factors, V)
  }
  end <- quiet(eval(parse(text = call)))
  agree <- list(coef = agreement(b, coef(end)), theta = agreement(theta, end$theta), se = agreement(sqrt(diag(expected)), sqrt(diag(vcov(end)))))
  do.call(refined, c(list(name, m, data, call, "MASS", agree), extra, list(cluster = cluster, names = c(names(coef(f)), "log(theta)"))))
}
negative_binomial("nb_quine", "quine", "Days ~ Eth + Sex + Age + Lrn", "Days ~ Eth")
negative_binomial("nb_sim", "sim", "over ~ x1 + x2 + g", "over ~ x1", new_rows$sim, sim$id, c("x1", "x2"), "g")
negative_binomial("nb_offset", "sim", "over ~ x1 + x2 + offset(log(exposure))", "over ~ x1 + offset(log(exposure))", new_rows$sim, sim$id, c("x1", "x2"))

# ---- zero-inflated and hurdle: counts with log link, zeros with logit link ---------------------------------------------------
pois_row <- quote(y * e - exp(e) - lgamma(y + 1))
none_of <- list(poisson = quote(exp(-exp(e))), negbin = quote((exp(lt) / (exp(lt) + exp(e)))^exp(lt)))
row_of <- list(poisson = pois_row, negbin = nb_row)
two_part <- function(name, kind, dist, formula, smaller) {
  call <- sprintf('%s(%s, sim, dist = "%s")', kind, formula, dist)
  get_fit <- function(formula) quiet(eval(parse(text = sprintf('%s(%s, sim, dist = "%s", x = TRUE)', kind, formula, dist))))
  p0 <- none_of[[dist]]; row <- row_of[[dist]]
  fit <- function(f) {
    y <- f$y; X <- list(e = f$x$count, z = f$x$zero)
    start <- unlist(coef(f))
    if (dist == "negbin") { X$lt <- one(length(y)); start <- c(start, log(f$theta[1])) }
    pieces <- if (kind == "zeroinfl") list(list(e = bquote(log((exp(z) + .(p0)) / (1 + exp(z)))), on = y == 0), list(e = bquote(-log(1 + exp(z)) + .(row)), on = y > 0))
      else list(list(e = quote(-log(1 + exp(z))), on = y == 0), list(e = bquote(z - log(1 + exp(z)) + .(row) - log(1 - .(p0))), on = y > 0))
    ml(pieces, X, start, list(y = y))
  }
  f <- get_fit(formula); m <- fit(f); m0 <- fit(get_fit(smaller))
  kx <- ncol(f$x$count); kz <- ncol(f$x$zero)
  theirs <- list(coef = agreement(m$coef[seq_len(kx + kz)], coef(f)), se = agreement(sqrt(diag(m$vcov))[seq_len(kx + kz)], sqrt(diag(vcov(f)))))
  X <- cbind(1, new_rows$sim$x1, new_rows$sim$x2); Z <- cbind(1, new_rows$sim$x2)
  parts <- function(b) {
    mu <- drop(exp(X %*% b[1:kx])); z <- plogis(drop(Z %*% b[kx + 1:kz])); th <- if (dist == "negbin") exp(b[[kx + kz + 1]])
    p0 <- if (dist == "negbin") (th / (th + mu))^th else exp(-mu)
    if (kind == "zeroinfl") list(response = (1 - z) * mu, zero = z, none = z + (1 - z) * p0) else list(response = z * mu / (1 - p0), zero = z, none = 1 - z)
  }
  g <- f; g$coefficients <- list(count = setNames(m$coef[1:kx], names(f$coefficients$count)), zero = setNames(m$coef[kx + 1:kz], names(f$coefficients$zero)))
  if (dist == "negbin") g$theta <- if (kind == "hurdle") c(count = exp(m$coef[[kx + kz + 1]])) else exp(m$coef[[kx + kz + 1]])
  at <- parts(m$coef)
  stopifnot(all.equal(unname(predict(g, new_rows$sim, "response")), at$response, tolerance = 1e-12))
  mean_se <- averaged(m$coef, m$vcov, function(b) parts(b)$response)
  refined(name, m, "sim", call, "pscl", theirs, cluster = sim$id, names = c(names(coef(f)), if (dist == "negbin") "log(theta)"),
    formula = formula, fitted = rows12(vec({ g$residuals <- NULL; quiet(predict(g, sim, "response")) })), new = "sim",
    predict = list(response = vec(at$response), response_se = mean_se$se, zero = vec(at$zero), probability_of_0 = vec(at$none),
      probabilities_0_to_4 = unname(predict(g, new_rows$sim, "prob", at = 0:4))[, 1:5]),
    average_slope_x1 = averaged(m$coef, m$vcov, function(b) {       # x1 enters the counts alone
      mu <- drop(exp(f$x$count %*% b[1:kx])); z <- plogis(drop(f$x$zero %*% b[kx + 1:kz])); th <- if (dist == "negbin") exp(b[[kx + kz + 1]])
      p0 <- if (dist == "negbin") (th / (th + mu))^th else exp(-mu)
      d0 <- if (dist == "negbin") -mu * th / (th + mu) * p0 else -mu * p0
      mean(b[[2]] * if (kind == "zeroinfl") (1 - z) * mu else z * (mu / (1 - p0) + mu * d0 / (1 - p0)^2)) }),
    lr = smaller_lr(m, m0, length(m$coef) - length(m0$coef), smaller))
}
for (kind in c("zeroinfl", "hurdle")) for (dist in c("poisson", "negbin"))
  two_part(paste(kind, dist, sep = "_"), kind, dist, "inflated ~ x1 + x2 | x2", "inflated ~ x1 | x2")

# ---- multinomial logit, the first level the reference -------------------------------------------------------------------------
multinomial <- function(name, data, formula, smaller, weights = NULL, new = NULL) {
  frame <- get(data); w <- if (is.null(weights)) rep(1, nrow(frame)) else frame[[weights]]
  extra <- if (is.null(weights)) "" else sprintf(", weights = %s", weights)
  call <- sprintf("multinom(%s, %s%s)", formula, data, extra)
  fit <- function(formula) {
    f <- eval(parse(text = sprintf("multinom(%s, %s%s, trace = FALSE, reltol = 1e-14, abstol = 1e-12, maxit = 2000)", formula, data, extra)))
    y <- frame[[all.vars(as.formula(formula))[1]]]; X <- model.matrix(as.formula(formula), frame)
    bottom <- quote(-log(1 + exp(e2) + exp(e3)))
    m <- ml(list(list(e = bottom, on = y == levels(y)[1]), list(e = bquote(e2 + .(bottom)), on = y == levels(y)[2]), list(e = bquote(e3 + .(bottom)), on = y == levels(y)[3])),
      list(e2 = X, e3 = X), as.vector(t(coef(f))), weights = w)
    list(f = f, m = m, X = X, levels = levels(y))
  }
  a <- fit(formula); a0 <- fit(smaller); m <- a$m; k <- ncol(a$X)
  p_of <- function(X) function(b) { u <- cbind(1, exp(X %*% b[1:k]), exp(X %*% b[k + 1:k])); u / rowSums(u) }
  more <- list()
  if (!is.null(new)) {
    at <- model.matrix(delete.response(terms(as.formula(formula))), data.frame(new), xlev = list(g = levels(sim$g)))
    s <- averaged(m$coef, m$vcov, function(b) as.vector(t(p_of(at)(b))))
    slope <- averaged(m$coef, m$vcov, function(b) { P <- p_of(a$X)(b); s <- c(0, b[2], b[k + 2]); colMeans(P * (matrix(s, nrow(P), 3, byrow = TRUE) - drop(P %*% s))) })
    more <- list(new = data, predict = list(probabilities = matrix(s$estimate, ncol = 3, byrow = TRUE), se = matrix(s$se, ncol = 3, byrow = TRUE)),
      average_slopes_x1 = slope, fitted = rows12(unname(p_of(a$X)(m$coef))))
  }
  do.call(refined, c(list(name, m, data, call, "nnet", list(coef = agreement(m$coef, t(coef(a$f))), se = agreement(sqrt(diag(m$vcov)), sqrt(diag(vcov(a$f))))),
    formula = formula, levels = vec(a$levels), deviance = -2 * m$loglik, lr = smaller_lr(m, a0$m, length(m$coef) - length(a0$m$coef), smaller)), more,
    list(names = as.vector(outer(colnames(a$X), a$levels[-1], function(x, l) paste(l, x, sep = ":"))), cluster = if (is.null(weights)) frame$id)))
}
multinomial("multinom_sim", "sim", "kind ~ x1 + x2 + g", "kind ~ x1", new = new_rows$sim)
housing3 <- transform(housing, Sat = factor(Sat, ordered = FALSE))
keep("housing", transform(housing, Sat = factor(Sat, ordered = TRUE)), "R's MASS::housing, Freq the frequency of each row")
multinomial("multinom_housing", "housing", "Sat ~ Infl + Type + Cont", "Sat ~ Infl + Cont", weights = "Freq")

# ---- ordinal: P(y <= k) = F(threshold_k - x'b), thresholds first --------------------------------------------------------------
cdf <- list(logit = function(e) bquote(1 / (1 + exp(-.(e)))), probit = function(e) bquote(pnorm(.(e))), cloglog = function(e) bquote(1 - exp(-exp(.(e)))))
ordered_case <- function(name, data, formula, smaller, link, weights = NULL, new = NULL) {
  frame <- get(data); w <- if (is.null(weights)) rep(1, nrow(frame)) else frame[[weights]]
  extra <- if (is.null(weights)) "" else sprintf(", weights = %s", weights)
  call <- sprintf('clm(%s, data = %s%s, link = "%s")', formula, data, extra, link)
  fit <- function(formula) {
    f <- quiet(eval(parse(text = sprintf('clm(%s, data = %s%s, link = "%s", control = clm.control(gradTol = 1e-12, maxIter = 500))', formula, data, extra, link))))
    y <- as.integer(frame[[all.vars(as.formula(formula))[1]]]); X <- model.matrix(as.formula(formula), frame)[, -1, drop = FALSE]
    K <- max(y); t <- lapply(paste0("t", 1:(K - 1)), as.name); Fn <- function(k) cdf[[link]](bquote((.(t[[k]]) - e)))
    pieces <- lapply(1:K, function(k) list(on = y == k, e = if (k == 1) bquote(log(.(Fn(1)))) else if (k == K) bquote(log(1 - .(Fn(K - 1)))) else bquote(log(.(Fn(k)) - .(Fn(k - 1))))))
    m <- ml(pieces, c(setNames(rep(list(one(length(y))), K - 1), paste0("t", 1:(K - 1))), list(e = X)), coef(f), weights = w)
    list(f = f, m = m)
  }
  a <- fit(formula); m <- a$m; a0 <- fit(smaller)
  s <- quiet(eval(parse(text = sprintf('polr(%s, %s%s, method = "%s", Hess = TRUE, control = list(reltol = 1e-15, maxit = 5000))', formula, data, extra, if (link == "logit") "logistic" else link))))
  agree <- list(clm_coef = agreement(m$coef, coef(a$f)), clm_se = agreement(sqrt(diag(m$vcov)), sqrt(diag(vcov(a$f)))), polr_coef = agreement(m$coef, c(s$zeta, coef(s))))
  more <- list()
  if (!is.null(new)) {
    g <- a$f; p <- predict(g, new, se.fit = TRUE, interval = TRUE)
    more <- list(new = data, predict = list(probabilities = unname(p$fit), se = unname(p$se.fit), low = unname(p$lwr), high = unname(p$upr),
      note = "rows times levels; ends by the logit of the probability; clm, 10 digits"))
  }
  do.call(refined, c(list(name, m, data, call, "ordinal", agree, formula = formula, link = link, levels = vec(levels(frame[[all.vars(as.formula(formula))[1]]])),
    polr = sprintf('polr(%s, %s%s, method = "%s")', formula, data, extra, if (link == "logit") "logistic" else link),
    lr = smaller_lr(m, a0$m, length(m$coef) - length(a0$m$coef), smaller)), more, list(names = names(coef(a$f)), cluster = if (is.null(weights)) frame$id)))
}
for (link in names(cdf)) {
  ordered_case(paste0("ordinal_wine_", link), "wine", "rating ~ temp + contact", "rating ~ temp", link)
  ordered_case(paste0("ordinal_sim_", link), "sim", "grade ~ x1 + x2 + g", "grade ~ x1", link, new = new_rows$sim)
}
ordered_case("ordinal_housing", "housing", "Sat ~ Infl + Type + Cont", "Sat ~ Infl + Cont", "logit", weights = "Freq")

# ---- truncated and censored normal, the last parameter log(sigma) --------------------------------------------------------------
normal <- quote(-ls - 0.5 * log(2 * pi) - 0.5 * ((y - e) / exp(ls))^2)
spread <- function(m) { k <- length(m$coef); s <- exp(m$coef[[k]]); list(sigma = s, se_sigma = s * sqrt(m$vcov[k, k])) }
X <- model.matrix(~ x1 + x2, truncated)
f <- truncreg(yt ~ x1 + x2, data = truncated, point = 0, direction = "left")
m <- ml(list(list(e = bquote(.(normal) - log(pnorm(e / exp(ls)))))), list(e = X, ls = one(nrow(X))), c(coef(f)[1:3], log(coef(f)[[4]])), list(y = truncated$yt))
mills <- function(b) { e <- drop(X[1:3, ] %*% b[1:3]); s <- exp(b[4]); e + s * dnorm(e / s) / pnorm(e / s) }
refined("truncated_normal", m, "truncated", 'truncreg(yt ~ x1 + x2, truncated, point = 0, direction = "left")', "truncreg",
  list(coef = agreement(c(m$coef[1:3], exp(m$coef[[4]])), coef(f)), se = agreement(sqrt(diag(m$vcov))[1:3], sqrt(diag(vcov(f)))[1:3]),
    loglik = agreement(m$loglik, logLik(f))), names = c(names(coef(f))[1:3], "log(sigma)"), more = spread(m), mean_given_seen_first_3_rows = averaged(m$coef, m$vcov, mills))
censored <- function(name, data, y, formula, left, right = Inf, call) {
  frame <- get(data); X <- model.matrix(as.formula(formula), frame)
  f <- quiet(eval(parse(text = sub("\\)$", ", control = survreg.control(rel.tolerance = 1e-15, maxiter = 200))", call))))
  pieces <- list(list(e = normal, on = y > left & y < right), list(e = bquote(log(pnorm((.(left) - e) / exp(ls)))), on = y <= left))
  if (is.finite(right)) pieces[[3]] <- list(e = bquote(log(pnorm((e - .(right)) / exp(ls)))), on = y >= right)
  m <- ml(pieces, list(e = X, ls = one(nrow(X))), c(coef(f), log(f$scale)), list(y = y))
  mean_of <- function(b) {
    e <- drop(X[1:3, ] %*% b[1:ncol(X)]); s <- exp(b[[length(b)]]); a <- (left - e) / s; z <- (right - e) / s
    e * (pnorm(z) - pnorm(a)) + s * (dnorm(a) - dnorm(z)) + left * pnorm(a) + (if (is.finite(right)) right * pnorm(-z) else 0)
  }
  refined(name, m, data, call, if (grepl("^tobit", call)) "AER" else "survival", list(coef = agreement(m$coef[seq_along(coef(f))], coef(f)), se = agreement(sqrt(diag(m$vcov)), sqrt(diag(vcov(f))))),
    names = c(colnames(X), "log(sigma)"), cluster = frame$id, left = left, right = if (is.finite(right)) right, more = spread(m),
    mean_of_the_censored_first_3_rows = averaged(m$coef, m$vcov, mean_of), deviance_residuals = rows12(vec(residuals(f, "deviance"))))
}
censored("tobit_sim", "sim", sim$tobit, "~ x1 + x2 + g", 0, call = "tobit(tobit ~ x1 + x2 + g, left = 0, data = sim)")
censored("tobit_two_limits", "sim", sim$tobit2, "~ x1 + x2", -0.5, 1.2, call = "tobit(tobit2 ~ x1 + x2, left = -0.5, right = 1.2, data = sim)")
censored("tobit_tobin", "tobin", tobin$durable, "~ age + quant", 0, call = 'survreg(Surv(durable, durable > 0, type = "left") ~ age + quant, tobin, dist = "gaussian")')

# ---- beta: shape parameters mu phi and (1 - mu) phi, logit link, phi with log link ------------------------------------------------
beta_row <- quote(lgamma(exp(lp)) - lgamma(exp(lp) / (1 + exp(-e))) - lgamma(exp(lp) / (1 + exp(e))) + (exp(lp) / (1 + exp(-e)) - 1) * log(y) + (exp(lp) / (1 + exp(e)) - 1) * log(1 - y))
beta_case <- function(name, data, formula, Z = "~ 1", response, smaller) {
  frame <- get(data); mean_part <- sub(" \\|.*", "", formula)
  call <- sprintf("betareg(%s, %s%s)", formula, data, if (grepl("|", formula, fixed = TRUE)) "" else ', link.phi = "log"')
  fit <- function(mean_part, Z) {
    f <- quiet(betareg(as.formula(if (Z == "~ 1") mean_part else paste(mean_part, "|", sub("~", "", Z))), data = frame, link.phi = "log", control = betareg.control(reltol = 1e-15, fstol = 1e-12)))
    y <- model.response(model.frame(f))
    list(f = f, y = y, m = ml(list(list(e = beta_row)), list(e = model.matrix(as.formula(mean_part), frame), lp = model.matrix(as.formula(Z), frame)), coef(f), list(y = as.numeric(y))))
  }
  a <- fit(mean_part, Z); a0 <- fit(smaller, Z); m <- a$m; f <- a$f
  refined(name, m, data, call, "betareg", list(coef = agreement(m$coef, coef(f)), loglik = agreement(m$loglik, logLik(f))), names = names(coef(f)), cluster = frame$id,
    formula = formula, phi = exp(m$coef[[length(f$coefficients$mean) + 1]]), vcov_expected = unname(vcov(f)), fitted = rows12(vec(fitted(f))),
    note = "coefficients of phi on the log scale; vcov_expected is betareg's, 9 digits; phi is that of the first coefficient alone",
    residuals = list(pearson = rows12(vec(residuals(f, "pearson"))), response = rows12(vec(residuals(f, "response"))), quantile = rows12(vec(residuals(f, "quantile")))),
    lr = smaller_lr(m, a0$m, length(m$coef) - length(a0$m$coef), smaller))
}
beta_case("beta_sim", "sim", "share ~ x1 + x2 + g", response = "share", smaller = "share ~ x1")
beta_case("beta_sim_phi_model", "sim", "share ~ x1 + x2 + g | x2", "~ x2", "share", smaller = "share ~ x1")
petrol$share <- petrol$Y / 100; petrol$No <- factor(petrol$No)
keep("petrol", petrol, "R's MASS::petrol (Prater), share = Y / 100")
beta_case("beta_petrol", "petrol", "share ~ EP + SG", response = "share", smaller = "share ~ EP")
