# Part of make_estimation.R: parametric survival (accelerated failure time, censored on the right) and Cox's regression.

# the log density and log survival of z = (log t - x'b) / scale; the last parameter is log(scale)
z_of <- quote((lt - e) / exp(ls))
aft_rows <- list(
  weibull = list(f = bquote(.(z_of) - exp(.(z_of)) - ls - lt), S = bquote(-exp(.(z_of)))),
  exponential = list(f = quote((lt - e) - exp(lt - e) - lt), S = quote(-exp(lt - e))),
  lognormal = list(f = bquote(-0.5 * .(z_of)^2 - 0.5 * log(2 * pi) - ls - lt), S = bquote(log(pnorm(-.(z_of))))),
  loglogistic = list(f = bquote(.(z_of) - 2 * log(1 + exp(.(z_of))) - ls - lt), S = bquote(-log(1 + exp(.(z_of))))))
aft <- function(name, dist, data, surv, rhs, smaller, weights = NULL, new = NULL) {
  frame <- get(data); w <- if (is.null(weights)) rep(1, nrow(frame)) else frame[[weights]]
  extra <- if (is.null(weights)) "" else sprintf(", weights = %s", weights)
  call <- sprintf('survreg(%s %s, %s%s, dist = "%s")', surv, rhs, data, extra, dist)
  fit <- function(rhs) {
    f <- quiet(eval(parse(text = sprintf('survreg(%s %s, %s%s, dist = "%s", control = survreg.control(rel.tolerance = 1e-15, maxiter = 300))', surv, rhs, data, extra, dist))))
    y <- eval(parse(text = surv), frame); X <- model.matrix(as.formula(rhs), frame)
    designs <- list(e = X); start <- coef(f)
    if (dist != "exponential") { designs$ls <- one(nrow(X)); start <- c(start, log(f$scale)) }
    list(f = f, m = ml(list(list(e = aft_rows[[dist]]$f, on = y[, 2] == 1), list(e = aft_rows[[dist]]$S, on = y[, 2] == 0)), designs, start, list(lt = log(y[, 1])), weights = w))
  }
  a <- fit(rhs); a0 <- fit(smaller); f <- a$f; m <- a$m
  more <- list()
  if (!is.null(new)) {
    p <- predict(f, new, type = "lp", se.fit = TRUE); r <- predict(f, new, type = "response", se.fit = TRUE)
    q <- predict(f, new, type = "quantile", p = c(.1, .5, .9), se.fit = TRUE)
    more <- list(new = data, predict = list(lp = vec(p$fit), lp_se = vec(p$se.fit), response = vec(r$fit), response_se = vec(r$se.fit),
      quantiles = vec(c(.1, .5, .9)), quantile = unname(q$fit), quantile_se = unname(q$se.fit), note = "response is exp(lp), as survreg has it"))
  }
  do.call(refined, c(list(name, m, data, call, "survival", list(coef = agreement(m$coef[seq_along(coef(f))], coef(f)), se = agreement(sqrt(diag(m$vcov)), sqrt(diag(vcov(f)))),
    loglik = agreement(m$loglik, f$loglik[2])), formula = paste(surv, rhs), loglik_null = f$loglik[1], scale = f$scale,
    residuals = list(response = rows12(vec(residuals(f, "response"))), deviance = rows12(vec(residuals(f, "deviance"))), working = rows12(vec(residuals(f, "working"))),
      dfbetas = rows12(unname(as.matrix(residuals(f, "dfbetas"))))),
    lr = smaller_lr(m, a0$m, length(m$coef) - length(a0$m$coef), smaller)), more,
    list(names = c(names(coef(f)), if (dist != "exponential") "log(scale)"), cluster = frame$id)))
}
for (dist in names(aft_rows)) {
  aft(paste0("aft_sim_", dist), dist, "sim", "Surv(time, event)", "~ x1 + x2 + g", "~ x1", new = new_rows$sim)
  aft(paste0("aft_ovarian_", dist), dist, "ovarian", "Surv(futime, fustat)", "~ ecog.ps + rx", "~ rx")
}
aft("aft_weibull_weights", "weibull", "sim", "Surv(time, event)", "~ x1 + x2 + g", "~ x1", weights = "w")

# ---- Cox -----------------------------------------------------------------------------------------------------------------------
cox <- function(name, data, formula, smaller = NULL, ties = "efron", extra = "", new = NULL, rows = TRUE) {
  frame <- get(data)
  call <- sprintf('coxph(%s, %s, ties = "%s"%s)', formula, data, ties, extra)
  make <- function(formula, extra) quiet(eval(parse(text = sprintf('coxph(%s, %s, ties = "%s"%s, control = coxph.control(eps = 1e-15, toler.chol = 1e-16, iter.max = 100), x = TRUE)',
    formula, data, ties, extra)), globalenv()))
  f <- make(formula, extra); s <- summary(f); b <- coef(f)
  cox_start <<- b
  again <- make(formula, paste0(extra, ", init = cox_start"))
  robust <- !is.null(f$naive.var)
  out <- list(data = data, call = call, package = "survival", digits = 10, formula = formula, ties = ties, names = vec(names(b)), coef = vec(b),
    se = vec(sqrt(diag(if (robust) f$naive.var else f$var))), vcov = if (robust) f$naive.var else f$var, loglik_null = f$loglik[1], loglik = f$loglik[2],
    aic = AIC(f), bic = BIC(f), n = f$n, events = f$nevent, confint_wald = unname(confint(f)), moved_when_restarted = agreement(b, coef(again)),
    tests = list(lr = as.list(s$logtest), wald = as.list(s$waldtest), score = as.list(s$sctest)))
  if (robust) { out$vcov_robust <- f$var; out$se_robust <- vec(sqrt(diag(f$var))); out$tests$wald_note <- "Wald with the robust covariance; its value is rounded to 2 decimals by R"; out$tests$robust_score <- as.list(s$robscore) }
  out$tests$wald_exact <- drop(t(b) %*% solve(f$var, b))
  if (!is.null(smaller)) { a <- anova(make(smaller, sub(", cluster = [a-z]+", "", extra)), if (robust) make(formula, sub(", (cluster = [a-z]+|robust = TRUE)", "", extra)) else f)
    out$lr <- list(smaller = smaller, statistic = a$Chisq[2], df = a$Df[2], p = a[2, ncol(a)]) }
  if (ties != "exact") {
    out$concordance <- list(c = unname(s$concordance[1]), se = unname(s$concordance[2]))
    h <- basehaz(f, centered = FALSE)
    out$baseline <- list(time = rows12(vec(h$time)), cumulative_hazard = rows12(vec(h$hazard)), strata = if (!is.null(h$strata)) vec(as.character(h$strata)))
    if (rows) out$residuals <- list(martingale = rows12(vec(residuals(f, "martingale"))), deviance = rows12(vec(residuals(f, "deviance"))),
      score = rows12(unname(as.matrix(residuals(f, "score")))), dfbeta = rows12(unname(as.matrix(residuals(f, "dfbeta")))),
      schoenfeld = rows12(unname(as.matrix(residuals(f, "schoenfeld")))))
    z <- cox.zph(f, terms = FALSE, transform = "identity", global = TRUE); out$proportional_hazards <- list(rows = vec(rownames(z$table)), chisq = vec(z$table[, 1]), p = vec(z$table[, 3]), transform = "identity")
  }
  if (!is.null(new)) {
    p <- predict(f, new, type = "lp", se.fit = TRUE, reference = "zero"); q <- survfit(f, newdata = new, se.fit = TRUE)
    at <- summary(q, times = c(1, 2, 4), extend = TRUE)
    out$new <- data
    out$predict <- list(lp = vec(p$fit), lp_se = vec(p$se.fit), reference = "zero", times = vec(c(1, 2, 4)), survival = unname(at$surv), survival_se = unname(at$std.err))
  }
  if (ties != "exact" && !robust && !grepl("strata|weights", paste(formula, extra))) {       # exact ends of the profile of the partial likelihood
    X <- f$x; y <- f$y
    out$profile <- t(sapply(seq_along(b), function(j) sapply(c(-1, 1), function(side) {
      h <- function(t) {
        l <- if (ncol(X) > 1) coxph(y ~ X[, -j, drop = FALSE] + offset(X[, j] * t), ties = ties, control = coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 100), init = b[-j])$loglik[2]
          else coxph(y ~ offset(X[, j] * t), ties = ties)$loglik[1]
        2 * (f$loglik[2] - l) - qchisq(.95, 1)
      }
      se <- sqrt(f$var[j, j]); uniroot(h, sort(b[j] + side * c(1, 3.5) * se), tol = 1e-12)$root
    })))
    out$profile_digits <- 9
  }
  cases[[name]] <<- out; cat(name, format(out$moved_when_restarted, digits = 2), "\n")
}
S <- "Surv(time, event)"
for (ties in c("efron", "breslow", "exact")) cox(paste0("cox_veteran_", ties), "veteran", "Surv(time, status) ~ trt + celltype + karno + age", "Surv(time, status) ~ karno", ties, rows = ties == "efron")
for (ties in c("efron", "breslow")) cox(paste0("cox_sim_", ties), "sim", paste(S, "~ x1 + x2 + g"), paste(S, "~ x1"), ties, new = new_rows$sim, rows = ties == "efron")
cox("cox_ties_exact", "sim", "Surv(ceiling(time), event) ~ x1 + x2 + g", "Surv(ceiling(time), event) ~ x1", "exact")
cox("cox_ties_efron", "sim", "Surv(ceiling(time), event) ~ x1 + x2 + g", "Surv(ceiling(time), event) ~ x1", "efron", rows = FALSE)
cox("cox_ties_breslow", "sim", "Surv(ceiling(time), event) ~ x1 + x2 + g", "Surv(ceiling(time), event) ~ x1", "breslow", rows = FALSE)
cox("cox_strata", "sim", paste(S, "~ x1 + x2 + strata(g)"), paste(S, "~ x1 + strata(g)"), rows = FALSE)
cox("cox_weights", "sim", paste(S, "~ x1 + x2 + g"), NULL, extra = ", weights = w", rows = FALSE)
cox("cox_weights_robust", "sim", paste(S, "~ x1 + x2 + g"), NULL, extra = ", weights = v, robust = TRUE", rows = FALSE)
cox("cox_cluster", "sim", paste(S, "~ x1 + x2 + g"), paste(S, "~ x1"), extra = ", cluster = id", rows = FALSE)
cox("cox_bladder_cluster", "bladder40", "Surv(stop, event) ~ rx + number + size + strata(enum)", NULL, extra = ", cluster = id", rows = FALSE)
cox("cox_offset", "sim", paste(S, "~ x1 + g + offset(0.5 * x2)"), paste(S, "~ x1 + offset(0.5 * x2)"), rows = FALSE)
